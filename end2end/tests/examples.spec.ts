import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from '../support/client';
import { environment, newPassword } from '../support/server';
import { expect, test } from '../support/test';

// The examples of docs/apps.md, run unchanged.

const PAGE = readFileSync(join(__dirname, '../../docs/apps.md'), 'utf8');
const WIKI = 'https://wiki.example';

/** Returns the only block of this language that contains the word. */
function example(language: string, word: string): string {
  const blocks = [...PAGE.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(([, of, text]) => of === language && text?.includes(word));
  expect(blocks).toHaveLength(1);
  return String(blocks[0]?.[2]);
}

const [, ...rule] = example('toml', '"OPTIONS"').trim().split('\n');

test.use({
  settings: {
    trusted_proxies: '["127.0.0.1"]',
    apps: `[{ name = "wiki", origin = "${WIKI}", rules = [{ ${rule.join(', ')} }] }]`,
  },
});

/** Returns the headers of a proxy's request to the portal about a request to the app. */
const about = (method: string, path: string, headers: Record<string, string> = {}) => ({
  'x-forwarded-for': '203.0.113.7',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'wiki.example',
  'x-forwarded-method': method,
  'x-forwarded-uri': path,
  ...headers,
});

test('a script of another origin may ask first, and nothing more', async ({ server }) => {
  const proxy = new Client(server);
  const preflight = { origin: 'https://elsewhere.example', 'access-control-request-method': 'GET', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' };
  const answers: [string, string, number][] = [
    ['OPTIONS', '/api/pages?a=b', 200],
    ['GET', '/api/pages?a=b', 401],
    ['POST', '/api/pages', 401],
    ['OPTIONS', '/pages', 401],
  ];
  for (const [method, path, status] of answers) {
    const answer = await proxy.get('/api/verify', about(method, path, preflight));
    expect(answer.status, `${method} ${path}`).toBe(status);
  }
});

for (const [name, app] of Object.entries({ Node: inNode, WSGI: inWsgi })) {
  test(`${name} reads a name of any letters`, async ({ server }) => {
    const person = { name: 'zoë-ŝťó', password: newPassword() };
    const added = await server.command(['user', 'add', `${person.name}-${name.toLowerCase()}`], `${person.password}\n`);
    expect(added.code, added.stderr).toBe(0);
    const proxy = new Client(server);
    const login = (await proxy.login({ ...person, name: `${person.name}-${name.toLowerCase()}` })).json;
    const token = (await proxy.post('/api/tokens', { audience: WIKI }, { authorization: `Bearer ${login.tokens.access_token}` })).json;
    const judged = await proxy.get('/api/verify', about('GET', '/', { authorization: `Bearer ${token.access_token}` }));
    expect(judged.status, judged.text).toBe(200);
    // The header as the proxy forwards it, with unchanged bytes.
    expect(await app(String(judged.headers['remote-user']))).toBe(login.session.username);
    expect(login.session.username).toContain('zoë');
  });
}

async function inNode(remoteUser: string): Promise<string> {
  const read = new Function('request', 'Buffer', `${example('js', 'remote-user')} return name;`) as (asked: IncomingMessage, buffer: typeof Buffer) => string;
  const app = createServer((asked, answer) => answer.end(read(asked, Buffer)));
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  try {
    return await ask((app.address() as AddressInfo).port, remoteUser);
  } finally {
    app.close();
  }
}

async function inWsgi(remoteUser: string): Promise<string> {
  const program = `
from wsgiref.simple_server import make_server

def app(environ, start_response):
    ${example('python', 'HTTP_REMOTE_USER').trim()}
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [name.encode()]

server = make_server("127.0.0.1", 0, app)
print(server.server_port, flush=True)
server.handle_request()
`;
  const child = spawn(join(__dirname, '../.venv/bin/python'), ['-c', program], { env: environment(), stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const port = await new Promise<number>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the app ended with ${code}`)));
      createInterface({ input: child.stdout }).once('line', (line) => resolve(Number(line)));
    });
    return await ask(port, remoteUser);
  } finally {
    child.kill();
  }
}

/** Returns the body of an app's answer to a request with this header. */
function ask(port: number, remoteUser: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, headers: { 'remote-user': remoteUser } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => resolve(text));
    });
    asked.once('error', reject).end();
  });
}
