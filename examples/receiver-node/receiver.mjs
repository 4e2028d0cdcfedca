#!/usr/bin/env node
// What does a receiver of webhooks look like? One route, the raw body, a signature, an effect, and an
// answer that says no more than what is durable. Node's own modules are all it needs.
//
//     WEBHOOK_SECRETS='whsec_...' node receiver.mjs [PORT] [FILE]

import { isUtf8 } from 'node:buffer'
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import fs from 'node:fs'
import { createServer } from 'node:http'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

// The signature covers neither method nor path: there is one of each for these secrets.
const METHOD = 'POST'
const PATH = '/webhook'
// Bytes of a body that are read: four times the largest that Wayfare sends.
const BODY_BYTES_MAX = 1024 * 1024
// Seconds that the sender's clock and ours may differ, each way.
const TOLERANCE_S = 300
// Seconds for which an id is remembered: the day for which Wayfare repeats at most, and an hour for the
// last one to arrive. A sender that repeats for longer would be taken twice.
const REMEMBERED_S = 25 * 60 * 60
// Seconds after which a sender may try again.
const RETRY_AFTER_S = 5

// The request is not to be trusted: answer 401, and have no effect.
export class Refused extends Error {}

// The keys of secrets separated by spaces: one, or during a rotation the new one and the old one.
export function readSecrets(text) {
  const secrets = text.split(/\s+/).filter((secret) => secret !== '')
  if (secrets.length === 0) throw new Error('there is no secret')
  return secrets.map((secret, index) => {
    const encoded = secret.replace(/^whsec_/, '')
    // `Buffer.from` would leave out what is not base64.
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) {
      throw new Error(`secret ${index + 1} is not base64, with or without \`whsec_\` before it`)
    }
    const key = Buffer.from(encoded, 'base64')
    if (key.length < 24 || key.length > 64) throw new Error(`secret ${index + 1} has not 24 to 64 bytes`)
    return key
  })
}

// The id of a request with exactly this body, where one of the keys signed it (Standard Webhooks v1).
export function verify(keys, headers, body, now) {
  const id = headers['webhook-id'] ?? ''
  const timestamp = headers['webhook-timestamp'] ?? ''
  const signatures = (headers['webhook-signature'] ?? '').split(' ')
  // With a dot in the id, two different requests could have one signature.
  if (id === '' || id.includes('.')) throw new Refused('`webhook-id` is not there or has a dot in it')
  if (!/^[0-9]{1,15}$/.test(timestamp)) throw new Refused('`webhook-timestamp` is not in seconds since 1970')
  if (Math.abs(now - Number(timestamp)) > TOLERANCE_S) {
    throw new Refused('`webhook-timestamp` is more than five minutes away')
  }
  for (const key of keys) {
    const signed = createHmac('sha256', key).update(`${id}.${timestamp}.`, 'latin1').update(body)
    const expected = Buffer.from(`v1,${signed.digest('base64')}`)
    for (const signature of signatures) {
      const given = Buffer.from(signature, 'latin1')
      // It takes the same time wherever the two differ. Other versions may stand beside ours.
      if (given.length === expected.length && timingSafeEqual(given, expected)) return id
    }
  }
  throw new Refused('no signature fits')
}

// Which webhooks have had their effect? A file of lines, one for each: the line is the effect and the
// memory of its id at once, so that neither can be there without the other. One process has the file.
export class Ledger {
  #file
  #length = 0 // bytes of whole lines in the file
  #seen = new Map() // what is remembered, the oldest first: id to { at, sha256 }

  constructor(file, now) {
    this.#file = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600)
    // A file is durable when its name is, too.
    const directory = fs.openSync(path.dirname(path.resolve(file)))
    fs.fsyncSync(directory)
    fs.closeSync(directory)
    const bytes = fs.readFileSync(file)
    // A last line that a crash has cut short was never answered, and is written over.
    this.#length = bytes.lastIndexOf('\n') + 1
    for (const text of bytes.toString('utf8', 0, this.#length).split('\n').slice(0, -1)) {
      const { at, id, sha256 } = JSON.parse(text)
      // As it was then: when it is forgotten the same id could come, and stand here, again.
      this.#forget(at)
      this.#seen.set(id, { at, sha256 })
    }
    this.#forget(now)
  }

  // Takes a webhook whose signature was right; the status to answer with, once it is durable. Nothing
  // else happens meanwhile, which is what keeps two copies apart.
  take(id, bytes, now) {
    this.#forget(now)
    const sha256 = createHash('sha256').update(bytes).digest('base64')
    const before = this.#seen.get(id)
    if (before !== undefined) return before.sha256 === sha256 ? 204 : 422
    const line = Buffer.from(`${JSON.stringify({ at: now, id, sha256, body: bytes.toString() })}\n`)
    // Over what a write that failed has left there.
    fs.ftruncateSync(this.#file, this.#length)
    for (let written = 0; written < line.length; ) {
      written += fs.writeSync(this.#file, line, written, line.length - written, this.#length + written)
    }
    fs.fdatasyncSync(this.#file)
    this.#length += line.length
    this.#seen.set(id, { at: now, sha256 })
    return 204
  }

  #forget(now) {
    for (const [id, { at }] of this.#seen) {
      if (now - at <= REMEMBERED_S) break
      this.#seen.delete(id)
    }
  }
}

// The bytes as they came: a parsed and rewritten body has another signature. Nothing when too many.
async function rawBody(request) {
  const chunks = []
  let length = 0
  for await (const chunk of request) {
    length += chunk.length
    if (length > BODY_BYTES_MAX) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function receive(request, keys, ledger) {
  if (request.url !== PATH) return 404
  if (request.method !== METHOD) return 405
  const body = await rawBody(request)
  if (body === undefined) return 413
  const now = Math.floor(Date.now() / 1000)
  let id
  try {
    id = verify(keys, request.headers, body, now)
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    console.error(`not verified: ${error.message}`)
    return 401
  }
  if (!isUtf8(body)) {
    console.error(`${id}: the body is not text`)
    return 400
  }
  try {
    const status = ledger.take(id, body, now)
    if (status === 422) console.error(`${id}: came before with another body`)
    return status
  } catch (error) {
    console.error(`${id}: not taken: ${error.message}`)
    return 503
  }
}

function main([port = '9000', file = 'received.ndjson']) {
  let keys
  try {
    keys = readSecrets(process.env.WEBHOOK_SECRETS ?? '')
  } catch (error) {
    console.error(`WEBHOOK_SECRETS: ${error.message}`)
    process.exit(1)
  }
  const ledger = new Ledger(file, Math.floor(Date.now() / 1000))
  const server = createServer(async (request, response) => {
    try {
      const status = await receive(request, keys, ledger)
      response.writeHead(status, status === 503 ? { 'Retry-After': RETRY_AFTER_S } : {}).end()
    } catch (error) {
      // Mostly a sender that went away in the middle.
      console.error(`not answered: ${error.message}`)
      response.destroy()
    }
  })
  server.requestTimeout = 10_000
  server.listen(Number(port), '127.0.0.1', () => {
    console.log(`listening on http://127.0.0.1:${server.address().port}${PATH}`)
  })
  // It may be killed at any time: what was answered is durable.
}

if (process.argv[1] !== undefined && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main(process.argv.slice(2))
}
