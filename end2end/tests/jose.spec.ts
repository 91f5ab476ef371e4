import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { calculateJwkThumbprint, compactDecrypt, createRemoteJWKSet, importJWK, jwtVerify, type CompactDecryptResult, type JWK } from 'jose';
import { BoundClient, Client, ClientKey } from '../support/client';
import { expect, test } from '../support/test';

// Written by the tests of crates/jwe, which open the other token in it.
const sample = JSON.parse(readFileSync(join(__dirname, '../../crates/jwe/tests/sample.json'), 'utf8'));

const open = async (token: string, key: JWK): Promise<CompactDecryptResult> => compactDecrypt(token, await importJWK(key, 'ECDH-ES+A256KW'));
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

test('what is sealed to a P-256 key opens with another library', async () => {
  for (const token of [sample.sealed_here, sample.sealed_by_jose]) {
    const { plaintext, protectedHeader } = await open(token, sample.recipient);
    expect(text(plaintext)).toBe(sample.content);
    expect(protectedHeader).toMatchObject({ alg: 'ECDH-ES+A256KW', enc: 'A256GCM', typ: 'test+jwe' });
  }
  const changed = sample.sealed_here.replace(/.$/, (last: string) => (last === 'A' ? 'Q' : 'A'));
  await expect(open(changed, sample.recipient)).rejects.toThrow();
  expect(await calculateJwkThumbprint(sample.recipient)).toHaveLength(43);
});

test("a ticket and a person's own key open with another library, for whom they are sealed to", async ({ server }) => {
  const client = new Client(server);
  const [signing, receiving, service] = [new ClientKey(), new ClientKey(), new ClientKey()];
  const path = join(server.dataDir, 'notes.jwk');
  await writeFile(path, JSON.stringify(service.jwk));
  const added = await server.command(['service', 'add', 'notes', '--key', path]);
  expect(added.code, added.stderr).toBe(0);
  const login = (await client.login(await server.person(), signing, receiving)).json;
  const bound = new BoundClient(client, login.tokens.access_token, signing);
  const ask = async (path: string, body: unknown) => {
    const answer = await bound.post(path, body);
    expect(answer.status, answer.text).toBe(200);
    return answer.json;
  };

  const sealed = await ask('/api/keys/user', {});
  const own = await open(sealed.key, receiving.privateJwk() as JWK);
  expect(own.protectedHeader).toMatchObject({
    alg: 'ECDH-ES+A256KW',
    enc: 'A256GCM',
    kid: await calculateJwkThumbprint(receiving.jwk),
    sub: login.session.sub,
    sid: login.session.id,
  });
  const key = JSON.parse(text(own.plaintext));
  expect(key).toMatchObject({ kty: 'oct', kid: `${login.session.sub}.1` });
  expect(Buffer.from(key.k, 'base64url')).toHaveLength(32);

  const issued = await ask('/api/tickets', { service: 'notes' });
  const ticket = await open(issued.ticket, service.privateJwk() as JWK);
  expect(ticket.protectedHeader).toMatchObject({ typ: 'ticket+jwe', cty: 'JWT', kid: await calculateJwkThumbprint(service.jwk) });
  const keys = createRemoteJWKSet(new URL(`${server.origin}/.well-known/jwks.json`));
  const { payload } = await jwtVerify(text(ticket.plaintext), keys, { issuer: server.origin, audience: 'notes', typ: 'ticket+jwt' });
  expect(payload).toMatchObject({
    sub: login.session.sub,
    sid: login.session.id,
    jti: issued.jti,
    cnf: { jkt: signing.thumbprint() },
    user_key: { version: 1, k: key.k },
  });

  for (const [what, token] of [['the key', sealed.key], ['the ticket', issued.ticket]]) {
    for (const wrong of [signing, new ClientKey()]) await expect(open(token, wrong.privateJwk() as JWK), what).rejects.toThrow();
  }
  await expect(open(issued.ticket, receiving.privateJwk() as JWK), 'not even its owner').rejects.toThrow();
  await expect(open(sealed.key, service.privateJwk() as JWK)).rejects.toThrow();
});
