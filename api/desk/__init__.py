"""The agent's desk: who is on the phone, in the two seconds before one must speak.

Pages are made here, on the server, in Persian and English; one small script keeps them live. docs/desk.md is for its readers.
Reading order: pages (addresses), looking (what is read), customer, tables and entries (what is shown of it), locale and catalog (how it is
said), templates, static/desk.js; live keeps an open page true.
"""
