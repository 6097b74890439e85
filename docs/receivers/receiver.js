// Receives webhooks with Node alone, from version 18 on.
//
//     WEBHOOK_SECRET=whsec_… PORT=3000 node receiver.js

const crypto = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");

const key = Buffer.from((process.env.WEBHOOK_SECRET || "").replace(/^whsec_/, ""), "base64");
if (key.length < 24) throw new Error("WEBHOOK_SECRET is missing"); // an empty key would fit a forger's signature
const inbox = process.env.INBOX || "inbox";
const TOLERANCE_SECONDS = 5 * 60;
const LARGEST_BODY = 1_000_000; // bytes

http
  .createServer(async (request, response) => {
    try {
      const body = await read(request);
      if (request.method !== "POST" || request.url !== "/webhooks") return answer(response, 404);
      if (!isGenuine(request.headers, body)) return answer(response, 400);
      keep(request.headers["webhook-id"], body);
      answer(response, 204);
    } catch (error) {
      console.error(error);
      answer(response, 500); // it will come again
    }
  })
  .listen(process.env.PORT || 3000, process.env.HOST || "127.0.0.1");

// The body as it came: parsed and written again, it would not be what was signed.
async function read(request) {
  const pieces = [];
  let length = 0;
  for await (const piece of request) {
    length += piece.length;
    if (length > LARGEST_BODY) throw new Error("the body is too large");
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function isGenuine(headers, body) {
  const id = headers["webhook-id"];
  const timestamp = headers["webhook-timestamp"];
  if (!id || !/^\d+$/.test(timestamp || "")) return false;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) return false;
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  const expected = crypto.createHmac("sha256", key).update(signed).digest();
  // During a rotation there are several signatures; one that fits is enough.
  return (headers["webhook-signature"] || "").split(" ").some((entry) => {
    const [version, signature] = entry.split(",", 2);
    const given = Buffer.from(signature || "", "base64");
    return version === "v1" && given.length === expected.length && crypto.timingSafeEqual(given, expected);
  });
}

// Answer only when the event is safe, and leave the work to another process, which takes files from the inbox.
// The same id again is the same event, and is kept once. With a database: INSERT … ON CONFLICT (id) DO NOTHING.
function keep(id, body) {
  fs.mkdirSync(inbox, { recursive: true });
  const draft = path.join(inbox, `.${crypto.randomUUID()}`);
  fs.writeFileSync(draft, body, { flush: true });
  try {
    fs.linkSync(draft, path.join(inbox, `${id}.json`)); // whole, or not at all
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  } finally {
    fs.unlinkSync(draft);
  }
}

function answer(response, status) {
  response.writeHead(status).end();
}
