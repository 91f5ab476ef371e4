import { generateKeyPairSync } from 'node:crypto';
import { Authenticator, type Lie } from '../support/authenticator';
import { type Answer, Client } from '../support/client';
import type { Person, Server } from '../support/server';
import { expect, test } from '../support/test';

// Requests of an attacker's program, without a browser.
test.skip(({ browserName }) => browserName !== 'chromium', 'once is enough');

let last = 0;
const stranger = (server: Server, headers: Record<string, string> = {}): Client => new Client(server, `127.3.0.${(last += 1)}`, headers);

/** Signs in with the password. */
async function signedIn(server: Server, person: Person): Promise<Client> {
  const client = stranger(server);
  const login = await client.post('/api/login', client.seal(await client.challenge(), { username: person.name, password: person.password }));
  expect(login.status, login.text).toBe(200);
  return new Client(server, client.address, { authorization: `Bearer ${login.json.tokens.access_token}` });
}

/** Makes an account with a passkey of the test's own authenticator. */
async function owner(server: Server): Promise<{ person: Person; me: Client; authenticator: Authenticator }> {
  const person = await server.person();
  const me = await signedIn(server, person);
  const authenticator = new Authenticator(server.origin);
  const added = await register(me, authenticator);
  expect(added.status, added.text).toBe(201);
  return { person, me, authenticator };
}

async function register(me: Client, authenticator: Authenticator, flags?: number): Promise<Answer> {
  const begun = await me.post('/api/passkeys/options', {});
  return me.post('/api/passkeys', { short_key: begun.json.short_key, credential: authenticator.create(begun.json.options, flags) });
}

async function present(client: Client, challenge: any, assertion: unknown): Promise<Answer> {
  return client.post('/api/login/passkey', client.seal(challenge, assertion, undefined, { type: 'passkey+jwe' }));
}

async function signIn(client: Client, authenticator: Authenticator, lie: Lie = {}, pending?: string): Promise<Answer> {
  const challenge = (await client.get('/api/passkeys/challenge')).json;
  const assertion = authenticator.get(challenge.options, lie);
  return present(client, challenge, pending ? { ...assertion, pending } : assertion);
}

/** The whole body, so that nothing in it tells one reason from another. */
const told = ({ status, json }: Answer): unknown => [status, json];
const REFUSED = [401, { status: 401, code: 'passkey_refused', title: 'This passkey was not accepted.' }];

test('every forged answer gets one refusal, and the owner still enters', async ({ server }) => {
  const ada = await owner(server);
  const bob = await owner(server);
  const { privateKey: another } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const port = new URL(server.origin).port;
  const lies: Record<string, Lie> = {
    'a wrong signature': { key: another },
    'a missing UV bit': { flags: 0x01 },
    'a missing UP bit': { flags: 0x04 },
    'a wrong origin': { origin: 'https://evil.example' },
    'an origin that ends like ours': { origin: `http://evillocalhost:${port}` },
    'a host below ours': { origin: `http://evil.localhost:${port}` },
    'another port': { origin: 'http://localhost:1' },
    'a wrong rpId': { rpId: 'evil.example' },
    'a challenge of somebody else': { challenge: Buffer.alloc(32, 7).toString('base64url') },
    'an unknown id': { id: Buffer.alloc(32, 7) },
    "another account's key under this handle": { id: bob.authenticator.id },
    "another account's handle": { userHandle: bob.authenticator.userHandle },
    'no handle': { userHandle: '' },
  };
  for (const [what, lie] of Object.entries(lies)) {
    expect(told(await signIn(stranger(server), ada.authenticator, lie)), what).toEqual(REFUSED);
  }
  const entered = await signIn(stranger(server), ada.authenticator);
  expect([entered.status, entered.json.session?.username]).toEqual([200, ada.person.name]);
});

test('a replayed challenge is refused alike, and closes the address of the thief', async ({ server }) => {
  const { authenticator } = await owner(server);
  const thief = stranger(server);
  const challenge = (await thief.get('/api/passkeys/challenge')).json;
  const assertion = authenticator.get(challenge.options);
  expect((await present(thief, challenge, assertion)).status).toBe(200);
  const again = await present(thief, challenge, assertion);
  expect([again.status, again.json.code, again.json.title]).toEqual([401, 'passkey_refused', 'This passkey was not accepted.']);
  expect((await thief.get('/api/passkeys/challenge')).json.code).toBe('banned');
});

test('voidauth#363: a key without UV is no passkey, neither when it is made nor when it is used', async ({ server }) => {
  const { me, authenticator } = await owner(server);
  const unverified = new Authenticator(server.origin);
  expect((await register(me, unverified, 0x01)).json.code).toBe('passkey_refused');
  expect((await signIn(stranger(server), authenticator, { flags: 0x01 })).json.code).toBe('passkey_refused');
});

test('exactly/exa#1037: synced keys send signCount 0 for ever', async ({ server }) => {
  const { person, authenticator } = await owner(server);
  for (let time = 0; time < 3; time++) expect((await signIn(stranger(server), authenticator)).status).toBe(200);
  const events = await server.command(['audit', '--user', person.name]);
  expect(events.stdout).not.toContain('passkey_changed');
  // A passkey whose counter decreases is recorded, and refused like a forged one.
  expect((await signIn(stranger(server), authenticator, { signCount: 9 })).status).toBe(200);
  expect(told(await signIn(stranger(server), authenticator, { signCount: 3 }))).toEqual(REFUSED);
  expect((await server.command(['audit', '--user', person.name])).stdout).toContain('passkey_changed');
});

test('kanidm/webauthn-rs#513: what an authenticator says of itself is stored at its registration', async ({ server }) => {
  const { person, authenticator } = await owner(server);
  // The first sign-in is already compared with the registration.
  expect((await signIn(stranger(server), authenticator, { flags: 0x1d })).status).toBe(200);
  const events = await server.command(['audit', '--user', person.name]);
  expect(events.stdout).toContain('backup_eligibility');
});

test('keycloak#32816: a registration demands a key that is found without its id', async ({ server }) => {
  const me = await signedIn(server, await server.person());
  const { options } = (await me.post('/api/passkeys/options', {})).json;
  expect(options.authenticatorSelection).toEqual({ residentKey: 'required', requireResidentKey: true, userVerification: 'required' });
});

test('a pending sign-in is finished by the passkey of its own account, once', async ({ server }) => {
  const ada = await owner(server);
  const bob = await owner(server);
  const wish = await ada.me.request('PATCH', '/api/account/second-factors', { json: { passkey_after_password: true } });
  expect([wish.status, wish.json.recovery_codes.length]).toEqual([200, 10]);
  const client = stranger(server);
  const login = await client.post('/api/login', client.seal(await client.challenge(), { username: ada.person.name, password: ada.person.password }));
  expect([login.status, login.json.code, login.json.proofs]).toEqual([401, 'second_factor_required', ['passkey', 'recovery_code']]);
  expect(login.text).not.toContain(ada.authenticator.id.toString('base64url'));
  const { pending } = login.json;
  expect(told(await signIn(client, bob.authenticator, {}, pending))).toEqual(REFUSED);
  expect(told(await signIn(client, ada.authenticator, { flags: 0x01 }, pending))).toEqual(REFUSED);
  const signedInNow = await signIn(client, ada.authenticator, {}, pending);
  expect([signedInNow.status, signedInNow.json.session?.amr]).toEqual([200, ['pwd', 'pop', 'user', 'mfa']]);
  expect((await signIn(client, ada.authenticator, {}, pending)).json.code).toBe('sign_in_expired');
  // The owner of the password sees the event.
  expect((await server.command(['audit', '--user', ada.person.name])).stdout).toContain('passkey_refused');
});

test('the factors of a person who lost all of them are shown and removed by command', async ({ server }) => {
  const { person, me } = await owner(server);
  const factors = async () => (await server.command(['user', 'factors', person.name])).stdout;
  const passkeys = await server.command(['user', 'passkeys', person.name]);
  expect(passkeys.stdout).toMatch(/^01[0-9A-Z]{24}\tPasskey\tlocalhost\t/);
  await me.request('PATCH', '/api/account/second-factors', { json: { passkey_after_password: true } });
  expect(await factors()).toBe('one-time codes\tno\npasskeys\t1\npasskey after the password\tyes\nrecovery codes left\t10\nremembered devices\t0\n');
  const removed = await server.command(['user', 'remove-factors', person.name]);
  expect([removed.code, removed.stdout]).toEqual([0, expect.stringContaining('The password alone signs in now, and the owner sees this.')]);
  expect(await factors()).toBe('one-time codes\tno\npasskeys\t0\npasskey after the password\tno\nrecovery codes left\t0\nremembered devices\t0\n');
  expect((await server.command(['user', 'remove-factors', person.name])).code).not.toBe(0);
  expect((await server.command(['user', 'factors', 'nobody-of-this-name'])).code).toBe(3);
  await signedIn(server, person);
  expect((await server.command(['audit', '--user', person.name])).stdout).toContain('second_factor_removed');
});

test('one passkey of several is removed by command', async ({ server }) => {
  const { person, me, authenticator } = await owner(server);
  await register(me, new Authenticator(server.origin));
  const list = JSON.parse((await server.command(['user', 'passkeys', person.name, '--json'])).stdout);
  expect(list).toHaveLength(2);
  const id = list.find((passkey: { credential_id: string }) => passkey.credential_id === authenticator.id.toString('base64url')).id;
  expect((await server.command(['user', 'passkeys', person.name, '--remove', id])).code).toBe(0);
  expect((await server.command(['user', 'passkeys', person.name, '--remove', id])).code).not.toBe(0);
  expect(told(await signIn(stranger(server), authenticator))).toEqual(REFUSED);
});

test.describe('another host', () => {
  test.use({ alone: true });

  test('healthchecks#980: after a change of the host, doctor says which keys are dead, and they are refused', async ({ server }) => {
    const { person, authenticator } = await owner(server);
    const before = await server.command(['doctor']);
    expect(before.stdout + before.stderr).toContain('The only passkey was made for localhost.');
    await server.restart({ public_url: 'https://auth.example' });
    const after = await server.command(['doctor']);
    expect(after.stdout + after.stderr).toContain('do not work at https://auth.example, because they were made for another host: 1 for localhost.');
    expect((await server.command(['user', 'passkeys', person.name])).stdout).toContain('\tlocalhost\t');
    const client = stranger(server, { host: 'auth.example' });
    const challenge = (await client.get('/api/passkeys/challenge')).json;
    const assertion = authenticator.get(challenge.options, { origin: 'https://auth.example', rpId: 'auth.example' });
    const sealed = client.seal(challenge, assertion, undefined, { type: 'passkey+jwe', header: { org: 'https://auth.example' } });
    expect(told(await client.post('/api/login/passkey', sealed))).toEqual(REFUSED);
  });
});
