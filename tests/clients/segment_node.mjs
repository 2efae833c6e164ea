// The published Node client of Segment, as a server of a shop uses it. Arguments: address, key.
import { createRequire } from "node:module";
const { Analytics } = createRequire(process.cwd() + "/")("@segment/analytics-node");
const [host, writeKey] = process.argv.slice(2);
const client = new Analytics({ host, writeKey, maxRetries: 10, maxEventsInBatch: 3 });
client.on("error", (error) => console.error(error.code, String(error.reason).slice(0, 200)));
client.identify({ userId: "node-user", traits: { email: "node@example.ir", name: "Node" } });
client.page({ userId: "node-user", name: "price", properties: { url: "https://shop.example/prices" } });
for (let n = 0; n < 5; n += 1) client.track({ userId: "node-user", event: "Clicked Something", properties: { n } });
client.group({ userId: "node-user", groupId: "acme" });
await client.closeAndFlush({ timeout: 60000 });
