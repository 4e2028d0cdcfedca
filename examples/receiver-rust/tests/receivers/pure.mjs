// Asks `receiver.mjs`, whose directory and file are the arguments, questions from stdin, one a line.

import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const [directory, file] = process.argv.slice(2)
const { Ledger, readSecrets, verify } = await import(pathToFileURL(`${directory}/receiver.mjs`))

let ledger
for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line)
  const body = Buffer.from(question.body, 'base64')
  if ('secrets' in question) {
    let answer = 'taken'
    try {
      verify(readSecrets(question.secrets), question.headers, body, question.now)
    } catch {
      answer = 'refused'
    }
    console.log(answer)
  } else {
    ledger ??= new Ledger(file, question.now)
    console.log(ledger.take(question.id, body, question.now))
  }
}
