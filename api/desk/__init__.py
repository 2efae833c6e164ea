"""The agent's desk: who is on the phone, in the two seconds before one must speak.

Pages are made here, on the server, in Persian and English; one small script keeps them live. docs/desk.md is for its readers.
Reading order: pages (addresses), visitor and provided (who is let in), looking and besides (what is read), customer, tables and entries
(what is shown of it), locale and catalog (how it is said), rendering, templates, static/desk.js; live keeps an open page true.
How things are said: values, numerals, prose, wording, refusals. What pages share: navigation, forms, ranging, written.
The other areas: calling and call, call_list, requests, service_request, rating, board, knowledge, script_form, script_writing (service);
marketing, rule_form, trying, bringing, segments, signalling, contacting, unsubscribing (marketing); identity, accounts, models,
sources, dead_letters.
"""
