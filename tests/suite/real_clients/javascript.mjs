// Plays rows of JavaScript clients at a lab, as python.py does for Python's.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const own = { PATH: process.env.PATH, HOME: process.env.HOME, NODE_EXTRA_CA_CERTS: process.env.NODE_EXTRA_CA_CERTS };
const require = createRequire(`${process.env.MODULES}/`);

const asks = {
  async secret() {
    const { SecretsManagerClient, GetSecretValueCommand } = require("@aws-sdk/client-secrets-manager");
    const client = new SecretsManagerClient({ maxAttempts: 1 });
    return String(Boolean((await client.send(new GetSecretValueCommand({ SecretId: process.env.SECRET }))).SecretString));
  },
  async azure_token() {
    const { WorkloadIdentityCredential } = require("@azure/identity");
    const credential = new WorkloadIdentityCredential({ disableInstanceDiscovery: true });
    return String(Boolean((await credential.getToken("https://vault.azure.net/.default")).token));
  },
  async azure_secret() {
    const { WorkloadIdentityCredential } = require("@azure/identity");
    const { SecretClient } = require("@azure/keyvault-secrets");
    const credential = new WorkloadIdentityCredential({ disableInstanceDiscovery: true });
    const client = new SecretClient(process.env.VAULT, credential, { disableChallengeResourceVerification: true });
    return String(Boolean((await client.getSecret(process.env.SECRET)).value));
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
