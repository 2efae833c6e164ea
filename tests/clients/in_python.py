"""The published Python clients of Segment and RudderStack, as a server of a shop uses them. Arguments: which, address, key."""

import logging
import sys

which, address, key = sys.argv[1:]
logging.basicConfig(level="WARNING")
if which == "segment":
    import segment.analytics as client

    client.host = address
else:
    import rudderstack.analytics as client

    client.dataPlaneUrl = address
client.write_key = key
client.gzip = True
user = f"{which}-python-user"
client.identify(user, {"email": f"{which}@example.ir", "name": "Python"})
client.page(user, "shop", "price", {"url": "https://shop.example/prices"})
for number in range(5):
    client.track(user, "Clicked Something", {"n": number})
client.group(user, "acme")
client.flush()
client.shutdown()
