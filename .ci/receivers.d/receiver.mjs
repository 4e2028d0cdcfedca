// Takes webhooks as a user of a published library does, and logs what the library says.
//
//     NEW=whsec_... OLD=whsec_... node receiver.mjs standardwebhooks|svix LOG PACKAGES

import fs from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'

const [library, log, packages] = process.argv.slice(2)
const { Webhook, WebhookVerificationError } = createRequire(`${packages}/`)(library)
const webhooks = { NEW: new Webhook(process.env.NEW), OLD: new Webhook(process.env.OLD) }
const copies = new Map()

function isVerified(webhook, body, headers) {
  try {
    webhook.verify(body, headers)
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false
    // The library parses what it has verified, and an empty body is no JSON.
    if (!(error instanceof SyntaxError && body.length === 0)) throw error
  }
  return true
}

const server = createServer(async (request, response) => {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  const verified = {}
  for (const name of ['NEW', 'OLD']) verified[name] = isVerified(webhooks[name], body, request.headers)
  const id = request.headers['webhook-id']
  copies.set(id, (copies.get(id) ?? 0) + 1)
  let status = verified.NEW || verified.OLD ? 204 : 401
  if (status === 204 && request.url === '/retried' && copies.get(id) <= 2) status = 500
  const { method, url, headers } = request
  const entry = { method, path: url, headers, body: body.toString('base64'), verified, status }
  fs.appendFileSync(log, `${JSON.stringify(entry)}\n`)
  response.writeHead(status).end()
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
