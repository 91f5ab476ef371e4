import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { blocks } from './blocks';
import { freePort } from './server';

export type Kind = 'nginx' | 'caddy' | 'haproxy' | 'traefik';

/** A text of `deploy/`, and its replacement in a test. */
type Replacement = [from: string, to: string];

/** An app that the proxy guards. */
export interface Guarded {
  name: string;
  /** The host without the port. */
  host: string;
  /** The port on which the app itself listens. */
  upstream: number;
}

/** The apps behind the portal of `auth.example.com` in a test, and the portal's own name there. */
export interface Site {
  portal: string;
  apps: Guarded[];
}

const ALONE: Site = { portal: 'localhost', apps: [] };

interface Ports {
  /** The port on which Postern listens. */
  upstream: number;
  /** The ports for browsers. */
  https: number;
  http: number;
}

/** Proxies end with their tests, even if those end abnormally. */
const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/**
 * A real reverse proxy with the configuration from `deploy/`: only names, ports and the certificate's paths are
 * changed.
 */
export class Proxy {
  readonly origin: string;
  readonly tls = true;
  private log = '';

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly child: ChildProcess,
    site: Site,
  ) {
    this.origin = `https://${site.portal}:${port}`;
    child.stdout?.on('data', (chunk: Buffer) => (this.log += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.log += chunk.toString()));
  }

  /** Resolves when it accepts connections on `https://localhost:PORT`, or on the hosts of a site there. */
  static async start(kind: Kind, upstream: number, port: number, changes: Replacement[] = [], site = ALONE): Promise<Proxy> {
    const folder = await mkdtemp(join(tmpdir(), `postern-${kind}-`));
    certify(folder, [site.portal, ...site.apps.map((app) => app.host)]);
    const ports = { upstream, https: port, http: await freePort() };
    const command = await START[kind](folder, ports, changes, site);
    const child = spawn(command[0], command.slice(1), { cwd: folder, env: environment(folder), stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    child.once('exit', () => running.delete(child));
    const proxy = new Proxy(port, folder, child, site);
    await proxy.listens().catch(async (error: unknown) => {
      await proxy.end();
      throw error;
    });
    return proxy;
  }

  async end(): Promise<void> {
    if (running.has(this.child)) {
      const gone = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
      this.child.kill('SIGTERM');
      const killTimer = setTimeout(() => this.child.kill('SIGKILL'), 4_000);
      await gone;
      clearTimeout(killTimer);
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  private async listens(): Promise<void> {
    // Traefik listens before it has read its routes, and answers 404 until then. A server that does not answer at all
    // is running.
    const answers = () =>
      new Promise<boolean>((resolve) => {
        const { host } = new URL(this.origin);
        const asked = get({ host: '127.0.0.1', port: this.port, path: '/login', headers: { host }, agent: false, timeout: 500, rejectUnauthorized: false });
        asked.once('response', (answer) => resolve(answer.statusCode !== 404)).once('timeout', () => resolve(true));
        asked.once('error', () => resolve(false)).once('response', () => asked.destroy()).once('timeout', () => asked.destroy());
      });
    await expect
      .poll(async () => !running.has(this.child) || (await answers()), { intervals: [50], timeout: 30_000 })
      .toBe(true);
    if (!running.has(this.child)) throw new Error(`the proxy has ended: ${this.log}`);
  }
}

/** Makes a certificate for these hosts, in the forms that the three need. */
export function certify(folder: string, hosts: string[]): void {
  const [chain, key] = [join(folder, 'fullchain.pem'), join(folder, 'key.pem')];
  const names = ['-addext', `subjectAltName=${hosts.map((host) => `DNS:${host}`).join(',')}`];
  // Strict clients accept no authority's certificate as a server's.
  const what = ['-subj', '/CN=localhost', ...names, '-addext', 'basicConstraints=critical,CA:FALSE', '-days', '1'];
  const how = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', [...how, ...what, '-keyout', key, '-out', chain], { stdio: 'pipe' });
}

function shipped(path: string): Promise<string> {
  return readFile(join(__dirname, '..', '..', 'deploy', path), 'utf8');
}

/** Replaces texts. Each must exist: without a replacement the test would test something else. */
function replace(text: string, replacements: Replacement[]): string {
  return replacements.reduce((done, [from, to]) => {
    if (!done.includes(from)) throw new Error(`there is no "${from}" in the configuration`);
    return done.replaceAll(from, to);
  }, text);
}

type Command = [string, ...string[]];

const START: Record<Kind, (folder: string, ports: Ports, changes: Replacement[], site: Site) => Promise<Command>> = {
  async nginx(folder, { upstream, https, http }, changes, { portal, apps }) {
    const site = replace(await shipped('nginx/postern.conf'), [
      ['listen [::]:443', 'listen [::1]:443'],
      ['listen [::]:80', 'listen [::1]:80'],
      ['listen 443', 'listen 127.0.0.1:443'],
      ['listen 80', 'listen 127.0.0.1:80'],
      [':443 ssl', `:${https} ssl`],
      [':80;', `:${http};`],
      ['127.0.0.1:3000', `127.0.0.1:${upstream}`],
      ['/etc/letsencrypt/live/auth.example.com/fullchain.pem', join(folder, 'fullchain.pem')],
      ['/etc/letsencrypt/live/auth.example.com/privkey.pem', join(folder, 'key.pem')],
      ['auth.example.com', portal],
      ...changes,
    ]);
    await writeFile(join(folder, 'postern.conf'), site);
    const app = await shipped('nginx/app.conf');
    for (const { name, host, upstream: behind } of apps) {
      const guarded = replace(app, [
        ['listen [::]:443', `listen [::1]:${https}`],
        ['listen 443', `listen 127.0.0.1:${https}`],
        ['127.0.0.1:8080', `127.0.0.1:${behind}`],
        ['/etc/letsencrypt/live/wiki.example.com/fullchain.pem', join(folder, 'fullchain.pem')],
        ['/etc/letsencrypt/live/wiki.example.com/privkey.pem', join(folder, 'key.pem')],
        ['server_name wiki.example.com', `server_name ${host}`],
        ['wiki.example.com', `${host}:${https}`],
        ['wiki', name],
      ]);
      await writeFile(join(folder, `app-${name}.conf`), guarded);
    }
    // The surrounding settings of the distribution's nginx.conf. One process, so that killing it leaves none.
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`);
    const around = `daemon off; master_process off; pid ${folder}/nginx.pid; events {} http {
      access_log off; gzip on; ${temporary.join(' ')} include ${folder}/postern.conf; include ${folder}/app-*.conf; }`;
    await writeFile(join(folder, 'nginx.conf'), around);
    return ['nginx', '-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')];
  },

  async caddy(folder, { upstream, https, http }, changes, { portal, apps }) {
    const file = replace(await shipped('caddy/Caddyfile'), [
      ['\n{\n', `\n{\n\thttp_port ${http}\n\thttps_port ${https}\n\tdefault_bind 127.0.0.1\n`],
      ['127.0.0.1:3000 {', `127.0.0.1:${upstream} {`],
      ['#tls /etc/caddy/fullchain.pem /etc/caddy/key.pem', `tls ${folder}/fullchain.pem ${folder}/key.pem`],
      ['auth.example.com {', `${portal} {`],
      ...changes,
    ]);
    const app = await shipped('caddy/app.Caddyfile');
    const guarded = apps.map(({ host, upstream: behind }) =>
      replace(app, [
        ['127.0.0.1:3000 {', `127.0.0.1:${upstream} {`],
        ['127.0.0.1:8080', `127.0.0.1:${behind}`],
        ['#tls /etc/caddy/fullchain.pem /etc/caddy/key.pem', `tls ${folder}/fullchain.pem ${folder}/key.pem`],
        ['wiki.example.com {', `${host} {`],
      ]),
    );
    await writeFile(join(folder, 'Caddyfile'), [file, ...guarded].join('\n'));
    return ['caddy', 'run', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile'];
  },

  async haproxy(folder, { upstream, https, http }, changes, _site) {
    const files = await Promise.all(['fullchain.pem', 'key.pem'].map((name) => readFile(join(folder, name), 'utf8')));
    await writeFile(join(folder, 'both.pem'), files.join(''));
    const file = replace(await shipped('haproxy/haproxy.cfg'), [
      ['bind :80,[::]:80', `bind 127.0.0.1:${http}`],
      ['bind :443,[::]:443', `bind 127.0.0.1:${https}`],
      [' v6only', ''],
      ['127.0.0.1:3000 send', `127.0.0.1:${upstream} send`],
      ['/etc/haproxy/auth.example.com.pem', join(folder, 'both.pem')],
      ...changes,
    ]);
    await writeFile(join(folder, 'haproxy.cfg'), file);
    return ['haproxy', '-db', '-f', join(folder, 'haproxy.cfg')];
  },

  async traefik(folder, { upstream, https, http }, changes, { portal, apps }) {
    const routes = join(folder, 'routes');
    await mkdir(routes);
    const fixed = replace(await shipped('traefik/traefik.yml'), [
      ['":80"', `"127.0.0.1:${http}"`],
      ['":443"', `"127.0.0.1:${https}"`],
      ['filename: /etc/traefik/postern.yml', `directory: ${routes}`],
    ]);
    const site = replace(await shipped('traefik/postern.yml'), [
      ['auth.example.com', portal],
      ['127.0.0.1:3000', `127.0.0.1:${upstream}`],
      ['/etc/traefik/fullchain.pem', join(folder, 'fullchain.pem')],
      ['/etc/traefik/key.pem', join(folder, 'key.pem')],
      ...changes,
    ]);
    await writeFile(join(folder, 'traefik.yml'), fixed);
    await writeFile(join(routes, 'postern.yml'), site);
    const guide = await readFile(join(__dirname, '..', '..', 'docs', 'guides', 'traefik.md'), 'utf8');
    const [page] = blocks(guide).filter(({ language }) => language === 'yaml');
    if (page === undefined) throw new Error('the guide to Traefik has no configuration');
    for (const { name, host, upstream: behind } of apps) {
      const guarded = replace(page.text, [
        ['auth.example.com', portal],
        ['wiki.example.com', host],
        ['127.0.0.1:3000', `127.0.0.1:${upstream}`],
        ['127.0.0.1:8080', `127.0.0.1:${behind}`],
        ['wiki', name],
      ]);
      // A name means one thing in all files of the folder.
      const ownNames = guarded.replaceAll(/(?<![./-])\b(postern|strip)\b/g, `$1-${name}`);
      await writeFile(join(routes, `app-${name}.yml`), ownNames);
    }
    // From PyPI: Debian has no package of it.
    return [join(__dirname, '..', '.venv', 'bin', 'traefik'), `--configFile=${join(folder, 'traefik.yml')}`];
  },
};

/**
 * Returns an environment in which everything that a proxy stores is in its folder; Caddy's administration is a socket
 * there.
 */
function environment(folder: string): NodeJS.ProcessEnv {
  return {
    PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
    HOME: folder,
    XDG_DATA_HOME: folder,
    XDG_CONFIG_HOME: folder,
    CADDY_ADMIN: `unix/${folder}/admin.sock`,
  };
}
