// The published Node client of RudderStack. Arguments: address, key.
import { createRequire } from "node:module";
const RudderAnalytics = createRequire(process.cwd() + "/")("@rudderstack/rudder-sdk-node");
const [host, key] = process.argv.slice(2);
const client = new (RudderAnalytics.default ?? RudderAnalytics)(key, { dataPlaneUrl: host, flushAt: 4, retryCount: 10 });
const done = [];
const sent = (call) => done.push(new Promise((resolve, reject) => call((error) => (error ? reject(error) : resolve()))));
sent((back) => client.identify({ userId: "rudder-user", traits: { email: "rudder-node@example.ir" } }, back));
for (let n = 0; n < 5; n += 1) sent((back) => client.track({ userId: "rudder-user", event: "Clicked Something", properties: { n } }, back));
client.flush();
await Promise.all(done);
process.exit(0);
