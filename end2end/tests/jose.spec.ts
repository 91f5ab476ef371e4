import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { calculateJwkThumbprint, compactDecrypt, importJWK } from 'jose';

// Written by the tests of crates/jwe, which open the other token in it.
const sample = JSON.parse(readFileSync(join(__dirname, '../../crates/jwe/tests/sample.json'), 'utf8'));

test('what is sealed to a P-256 key opens with another library', async () => {
  const key = await importJWK(sample.recipient, 'ECDH-ES+A256KW');
  for (const token of [sample.sealed_here, sample.sealed_by_jose]) {
    const { plaintext, protectedHeader } = await compactDecrypt(token, key);
    expect(new TextDecoder().decode(plaintext)).toBe(sample.content);
    expect(protectedHeader).toMatchObject({ alg: 'ECDH-ES+A256KW', enc: 'A256GCM', typ: 'test+jwe' });
  }
  const changed = sample.sealed_here.replace(/.$/, (last: string) => (last === 'A' ? 'Q' : 'A'));
  await expect(compactDecrypt(changed, key)).rejects.toThrow();
  expect(await calculateJwkThumbprint(sample.recipient)).toHaveLength(43);
});
