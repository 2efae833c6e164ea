// The published client of Jitsu, in Node. Arguments: address, key.
import { createRequire } from "node:module";
const { jitsuAnalytics } = createRequire(process.cwd() + "/")("@jitsu/js");
const [host, writeKey] = process.argv.slice(2);
const client = jitsuAnalytics({ host, writeKey: `${writeKey}:unused` });
await client.identify("jitsu-user", { email: "jitsu@example.ir" });
await client.page();
for (let n = 0; n < 5; n += 1) await client.track("Clicked Something", { n });
await new Promise((resolve) => setTimeout(resolve, 500));
process.exit(0);
