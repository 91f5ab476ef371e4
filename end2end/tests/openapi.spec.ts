import { BoundClient, Client, ClientKey, type Answer } from '../support/client';
import { OpenApi, type Call } from '../support/openapi';
import { newName, newPassword, type Person } from '../support/server';
import { expect, test } from '../support/test';

/** Operations on a token, which needs a payment or dynamic registration; the portal's own tests make some. */
const CHANGES = ['suspendTollToken', 'resumeTollToken', 'revokeTollToken', 'revokeRegistrationToken'];
/**
 * Operations that need a passkey, a one-time code, the client of an app, or a mail server. The portal's own tests call
 * them: `passkeys`, `passkey_factor`, `remembered_devices`, `second_factor`, `oidc` and `mail` in server/tests/portal.
 */
const ELSEWHERE = [
  'confirm', 'makeRecoveryCodes', 'removeTotp', 'beginTotp', 'confirmTotp', 'removeSecondFactors', 'finishLogin',
  'changeSecondFactors', 'loginTerminal', 'forgetDevice',
  'loginWithPasskey', 'addPasskey', 'beginPasskey', 'removePasskey', 'renamePasskey',
  'withdrawConsent', 'answerApp', 'answerDevice', 'signOutForApp', 'getDevicePage', 'authorizeApp', 'authorizeByForm',
  'authorizeDevice', 'postAnswer', 'introspectToken', 'endSessionForApp', 'endSessionByForm', 'pushRequest',
  'revokeClientToken', 'exchangeToken', 'getUserinfo', 'postUserinfo', 'mailEmailProof', 'confirmEmailProof', 'forgottenPassword',
  'registerClient', 'showRegisteredClient', 'changeRegisteredClient', 'removeRegisteredClient',
];
const WIKI = { host: 'wiki.example.com' };

test.use({
  alone: true,
  settings: {
    trusted_proxies: '["127.0.0.1"]',
    apps: '[{ name = "wiki", origin = "https://wiki.example.com" }]',
  },
});

test('the document is valid, and so are its examples', async ({ server }) => {
  const { Validator } = await import('@seriousme/openapi-schema-validator');
  const api = await OpenApi.of(new Client(server));
  expect(await new Validator().validate(api.document)).toEqual({ valid: true });
  expect(api.document.openapi).toBe('3.1.1');
  expect(api.unfit()).toEqual([]);
});

test('whoever sends its examples, or anything else, is answered as it says', async ({ server }) => {
  const api = await OpenApi.of(new Client(server));
  const people: (Person | undefined)[] = [undefined, await server.person(), await server.person('administrator')];
  // The example comes last: on some paths it counts as an attack by then, which bans the address.
  const bodies: Call['body'][] = [() => '', () => '[]', () => '{"no":"such"}', undefined];
  for (const [number, { id, about }] of api.operations.entries()) {
    for (const [who, person] of people.entries()) {
      const client = await signedIn(new Client(server, `127.1.${who}.${number + 1}`), person);
      for (const body of about.requestBody ? bodies : [undefined]) await api.play(client, id, body ? { body } : {});
    }
    // A scheme without a token.
    await api.play(new Client(server, `127.1.9.${number + 1}`, { authorization: 'Bearer' }), id);
  }
});

test('one after the other, its operations do what it promises', async ({ server }) => {
  const at = (address: string, headers: Record<string, string> = {}) => new Client(server, address, headers);
  const api = await OpenApi.of(at('127.2.0.1'));
  const promised = async (client: Client, id: string, status: number, call: Call = {}): Promise<Answer> => {
    const answer = await api.play(client, id, call);
    expect(answer.status, `${id}: ${answer.text}`).toBe(status);
    return answer;
  };
  /** Returns a sealed example, with an envelope that opens. */
  const sealed = async (client: Client, path: string, kind: string, content: unknown, keys?: { signing: ClientKey; receiving: ClientKey }): Promise<Call> => {
    const challenge = await client.challenge();
    const { encrypted_username_password, short_key } = client.seal(challenge, content, keys, { type: `${kind}+jwe` });
    const proof = keys && { dpop: keys.signing.proof(server.origin + path, challenge.short_key) };
    return { body: (example) => ({ ...example, encrypted_username_password, short_key }), headers: { ...proof } };
  };
  const bearer = (answer: Answer) => ({ authorization: `Bearer ${answer.json.tokens.access_token}` });
  const credentials = ({ name, password }: Person) => ({ username: name, password });

  const [ada, root, guest] = [await server.person(), await server.person('administrator'), { name: newName(), password: newPassword() }];
  const program = at('127.2.0.2');
  const keys = { signing: new ClientKey(), receiving: new ClientKey() };
  let administrator = program;
  let me = program;
  let bound = program;

  await test.step('what anyone may read', async () => {
    const open = ['getChallenge', 'getJwks', 'getMetadata', 'getOpenapi', 'getOpenIdConfiguration', 'getAuthorizationServer'];
    for (const id of [...open, 'getPasskeyEndpoints', 'getPasskeyChallenge']) await promised(program, id, 200);
    await promised(program, 'getChangePasswordPage', 303);
    const list = await promised(program, 'getRevocations', 200);
    await promised(program, 'getRevocations', 304, { params: { 'If-None-Match': String(list.headers.etag) } });
  });

  await test.step('sign-in', async () => {
    const login = await promised(program, 'login', 200, await sealed(program, '/api/login', 'login', credentials(ada)));
    me = at('127.2.0.2', bearer(login));
    const next = await promised(program, 'refresh', 200, { body: () => ({ refresh_token: login.json.tokens.refresh_token }) });
    me = at('127.2.0.2', bearer(next));
    const told = await promised(program, 'authenticate', 200, await sealed(program, '/api/authenticate', 'login', credentials(ada), keys));
    expect(told.cookies).toEqual([]);
    bound = new BoundClient(program, told.json.tokens.access_token, keys.signing);
    await promised(at('127.2.0.2', bearer(told)), 'getSession', 401);
    const operator = await promised(program, 'login', 200, await sealed(program, '/api/login', 'login', credentials(root)));
    administrator = at('127.2.0.3', bearer(operator));
    const invitation = await promised(administrator, 'invite', 201);
    const code = String(invitation.json.link).split('#code=')[1];
    await promised(program, 'signup', 200, await sealed(program, '/api/signup', 'signup', { ...credentials(guest), code }));
    expect((await promised(me, 'getSession', 200)).json.bound).toBe(false);
  });

  await test.step('keys, tickets, tokens', async () => {
    await promised(me, 'listUserKeys', 200);
    await promised(bound, 'getUserKey', 200);
    await promised(bound, 'rotateUserKey', 201);
    await promised(me, 'revokeUserKey', 204);
    await promised(me, 'revokeUserKey', 410);
    await promised(administrator, 'setService', 201, { body: (example) => ({ ...example, name: 'time' }) });
    await promised(bound, 'getTicket', 200);
    await promised(me, 'getTicket', 403);
  });

  await test.step('profiles and groups', async () => {
    for (const id of ['listPasskeys', 'getSecondFactors', 'listRememberedDevices', 'listConsents', 'showProfile', 'changeProfile']) await promised(me, id, 200);
    await promised(me, 'listNotices', 200);
    await promised(me, 'dismissNotices', 204);
    await promised(me, 'forgetDevices', 204);
    const group = await promised(administrator, 'addGroup', 201);
    const params = { id: String(group.json.id) };
    await promised(administrator, 'listGroups', 200);
    await promised(administrator, 'showGroup', 200, { params });
    await promised(administrator, 'renameGroup', 204, { params });
    await promised(administrator, 'removeGroup', 204, { params });
  });

  await test.step('clients', async () => {
    const open = ['getProtectedResource', 'getProtectedUserinfo'];
    for (const id of open) await promised(program, id, 200);
    await promised(program, 'getWebfinger', 200, { params: { resource: server.origin } });
    await promised(program, 'getWebfinger', 404, { params: { resource: 'acct:ada@elsewhere.example' } });
    await promised(administrator, 'addClient', 201);
    await promised(administrator, 'addClient', 409);
    expect((await promised(administrator, 'listClients', 200)).json.clients).toHaveLength(1);
    await promised(administrator, 'changeClient', 204);
    expect((await promised(administrator, 'rotateClientSecret', 200)).json.client_secret).toHaveLength(43);
    expect((await promised(administrator, 'explainClientRequest', 200)).json.accepted).toBe(false);
    await promised(administrator, 'removeClient', 204);
    await promised(administrator, 'removeClient', 404);
    expect((await promised(administrator, 'listRegistrationTokens', 200)).json.tokens).toEqual([]);
  });

  await test.step('an app', async () => {
    await promised(bound, 'getAppToken', 200);
    const token = await promised(me, 'getAppToken', 200);
    await promised(at('127.0.0.1', { authorization: `Bearer ${token.json.access_token}` }), 'verify', 200);
    const proxy = at('127.0.0.1', { accept: 'text/html' });
    expect((await promised(proxy, 'verify', 401)).headers.location).toContain('https://wiki.example.com/.postern/start?next=');
    await promised(proxy, 'verify', 302, { params: { redirect: '' } });

    const begun = await promised(program, 'startAppSignIn', 303, { headers: WIKI });
    const cookie = String(begun.cookies[0]).split(';')[0] ?? '';
    const [state, next] = ['state', 'next'].map((name) => new URL(String(begun.headers.location)).searchParams.get(name) ?? '');
    await promised(program, 'returnToApp', 303, { params: { state: state ?? '', next: next ?? '' } });
    await promised(me, 'returnToApp', 200, { params: { state: state ?? '', next: next ?? '' } });
    const back = await promised(me, 'enterApp', 200, { body: () => ({ app: 'https://wiki.example.com', state, next }) });
    const code = new URL(String(back.json.location)).searchParams.get('code') ?? '';
    const entered = await promised(program, 'finishAppSignIn', 303, { params: { code, state: state ?? '' }, headers: { ...WIKI, cookie } });
    await promised(program, 'goOnToKeptPlace', 200, { headers: WIKI });
    const session = { cookie: String(entered.cookies.find((line) => line.includes('-app='))).split(';')[0] ?? '' };
    await promised(at('127.0.0.1', session), 'verify', 200);
    await promised(program, 'askToLeaveApp', 200, { headers: WIKI });
    const own = { ...WIKI, ...session, origin: 'https://wiki.example.com' };
    await promised(program, 'leaveApp', 204, { headers: own });
    await promised(program, 'leaveApp', 303, { headers: { ...own, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' } });
    await promised(me, 'getSession', 401);
  });

  await test.step('devices', async () => {
    const devices = await promised(bound, 'listSessions', 200);
    expect(devices.json.devices).toHaveLength(1);
    const [other, last] = [await program.login(ada), await program.login(ada)];
    await promised(bound, 'endSession', 204, { params: { id: other.json.session.id } });
    await promised(bound, 'endOtherSessions', 204);
    await promised(at('127.2.0.2', bearer(last)), 'getSession', 401);
    await promised(bound, 'logout', 204);
  });

  await test.step('accounts', async () => {
    const { users } = (await promised(administrator, 'listUsers', 200)).json;
    const id = (person: Person) => String(users.find(({ username }: { username: string }) => username === person.name).id);
    const link = await promised(administrator, 'makeResetLink', 200, { params: { id: id(ada) } });
    const fresh = newPassword();
    const code = String(link.json.link).split('#code=')[1];
    await promised(program, 'resetPassword', 204, await sealed(program, '/api/reset', 'reset', { code, password: fresh }));
    const visitor = at('127.2.0.4', bearer(await program.login({ ...ada, password: fresh })));
    const newest = newPassword();
    await promised(visitor, 'changePassword', 204, await sealed(visitor, '/api/password', 'password', { old: fresh, new: newest }));
    await promised(administrator, 'makeUserKey', 201, { params: { id: id(ada) } });
    await promised(visitor, 'deleteAccount', 204, await sealed(visitor, '/api/account/delete', 'deletion', { password: newest }));
    await promised(administrator, 'changeUser', 204, { params: { id: id(guest) } });
    await promised(administrator, 'changeUser', 409, { params: { id: id(root) } });
    await promised(administrator, 'deleteUser', 204, { params: { id: id(guest) } });
    const invitations = await promised(administrator, 'invite', 201).then(() => promised(administrator, 'listInvitations', 200));
    await promised(administrator, 'revokeInvitation', 204, { params: { id: invitations.json.invitations[0].id } });
  });

  await test.step('bans', async () => {
    const ban = await promised(administrator, 'makeBan', 201);
    expect((await promised(administrator, 'listBans', 200)).json.bans).toEqual([ban.json]);
    expect((await promised(administrator, 'explainBan', 200)).json.bans).toEqual([ban.json]);
    await promised(administrator, 'liftBan', 204, { params: { id: ban.json.id } });
    await promised(administrator, 'allow', 201);
    const { allowed } = (await promised(administrator, 'listAllowed', 200)).json;
    expect(allowed[0]).toMatchObject({ network: '192.0.2.0/24', comment: 'the office' });
    await promised(administrator, 'disallow', 204, { params: { id: allowed[0].id } });
    await promised(administrator, 'countRefusals', 200);
    await promised(administrator, 'watchRefusals', 200);
  });

  await test.step('the server', async () => {
    expect((await promised(administrator, 'setService', 201)).json.name).toBe('printer');
    await promised(administrator, 'listServices', 200);
    await promised(administrator, 'removeService', 204);
    const made = await promised(administrator, 'rotateServerKey', 201);
    await promised(administrator, 'rotateServerKey', 200);
    await promised(administrator, 'listServerKeys', 200);
    await promised(administrator, 'revokeServerKey', 204, { params: { kid: made.json.kid } });
    expect((await promised(administrator, 'listAudit', 200)).json.entries).not.toEqual([]);
    for (const format of ['csv', 'ndjson']) await promised(administrator, 'listAudit', 200, { params: { format } });
    await promised(administrator, 'getAuditFile', 200);
    await promised(program, 'getAuditFile', 303);
  });

  await test.step('the gate', async () => {
    for (const id of ['listTollRoutes', 'listTollPayments', 'listTollTokens', 'listTollDays']) await promised(administrator, id, 200);
    for (const id of CHANGES) await promised(administrator, id, 404);
  });

  const elsewhere = (answer: string) => ELSEWHERE.includes(answer.split(' ')[0] ?? '');
  const unseen = api.unseen().filter((answer) => !CHANGES.some((id) => answer === `${id} 204`) && !elsewhere(answer));
  expect(unseen, 'promised, and not seen').toEqual([]);
});

/** Returns the same client with a person's token. */
async function signedIn(client: Client, person?: Person): Promise<Client> {
  if (!person) return client;
  const login = await new Client(client.server, client.address).login(person);
  return new Client(client.server, client.address, { authorization: `Bearer ${login.json.tokens.access_token}` });
}
