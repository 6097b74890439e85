// Reads one attempt a line: {body, headers, keys, strangers}. Every key must accept it and no stranger may; else the
// first that is otherwise is named and the exit status is 1. whsec_ secrets are for the official verifier, which knows
// no ed25519; whpk_ public keys are for Node's own.
const crypto = require("node:crypto");
const { createInterface } = require("node:readline");
const { Webhook } = require("standardwebhooks");

const SPKI_ED25519 = Buffer.from("302a300506032b6570032100", "hex");

function checked(body, headers, key) {
  if (key.startsWith("whsec_")) {
    new Webhook(key).verify(body, headers);
    return;
  }
  const raw = Buffer.from(key.slice("whpk_".length), "base64");
  const publicKey = crypto.createPublicKey({ key: Buffer.concat([SPKI_ED25519, raw]), format: "der", type: "spki" });
  const signed = Buffer.concat([Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`), body]);
  const fits = headers["webhook-signature"]
    .split(" ")
    .map((entry) => entry.split(","))
    .some(([tag, value]) => tag === "v1a" && crypto.verify(null, signed, publicKey, Buffer.from(value, "base64")));
  if (!fits) throw new Error("no signature fits");
}

function accepts(body, headers, key) {
  try {
    checked(body, headers, key);
    return true;
  } catch {
    return false;
  }
}

async function main() {
  let count = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    const { body, headers, keys, strangers } = JSON.parse(line);
    const bytes = Buffer.from(body, "base64");
    const wrong = [
      ...keys.filter((key) => !accepts(bytes, headers, key)),
      ...strangers.filter((key) => accepts(bytes, headers, key)),
    ];
    if (wrong.length) throw new Error(`attempt ${count}: ${wrong}`);
    count += 1;
  }
  console.log(count);
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
