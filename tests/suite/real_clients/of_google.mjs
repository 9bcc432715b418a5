// Plays rows of Google's JavaScript clients at a lab, as javascript.mjs does for the others.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const own = { PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: process.env.NODE_EXTRA_CA_CERTS };
const require = createRequire(`${process.env.MODULES}/`);
const path = () => `projects/${process.env.GOOGLE_CLOUD_PROJECT}/secrets/${process.env.SECRET}/versions/latest`;

const asks = {
  async google_auth() {
    const { GoogleAuth } = require("google-auth-library");
    const auth = new GoogleAuth({ scopes: "https://www.googleapis.com/auth/cloud-platform" });
    const client = await auth.getClient();
    const answer = await client.request({ url: `${process.env.ENDPOINT}/v1/${path()}:access` });
    return Buffer.from(answer.data.payload.data, "base64").toString();
  },
  async google_secret() {
    const { SecretManagerServiceClient } = require("@google-cloud/secret-manager");
    const { hostname, port } = new URL(process.env.ENDPOINT);
    const client = new SecretManagerServiceClient({ fallback: true, apiEndpoint: hostname, port: Number(port) });
    const [answer] = await client.accessSecretVersion({ name: path() });
    return Buffer.from(answer.payload.data).toString();
  },
};

const answers = [];
for (const row of JSON.parse(readFileSync(0, "utf8"))) {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, own, row.set);
  try {
    answers.push({ name: row.name, done: await asks[row.ask]() });
  } catch (error) {
    answers.push({ name: row.name, error: `${error.name}: ${error.message}` });
  }
}
process.stdout.write(JSON.stringify(answers));
process.exit(0);
