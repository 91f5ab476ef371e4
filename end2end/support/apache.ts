import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Folder, Peer } from './relying-party';

/** Modules that a distribution enables, or that a page says to enable. */
const MODULES = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'dir', 'env', 'headers', 'mime', 'socache_shmcb', 'ssl'];

/**
 * Starts Apache with the text of a page, at `https://localhost:PORT` only, within the configuration of the
 * distribution's own files.
 */
export async function apache(folder: Folder, port: number, modules: string[], site: string): Promise<Peer> {
  mkdirSync(join(folder.path, 'htdocs'), { recursive: true });
  // Started by root, it serves as the distribution's account.
  chmodSync(folder.path, 0o711);
  const load = [...MODULES, ...modules].map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`);
  const text = `ServerRoot "${folder.path}"
    ServerName localhost
    PidFile "${folder.path}/apache.pid"
    DefaultRuntimeDir "${folder.path}"
    ErrorLog "${errors(folder)}"
    Listen 127.0.0.1:${port}
    ${load.join('\n')}
    TypesConfig /etc/mime.types
    StartServers 1
    ThreadsPerChild 25
    ${process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''}
    <Directory "${folder.path}/htdocs">
      Require all granted
    </Directory>
    ${site}`;
  return Peer.start(['apache2', '-X', '-f', folder.write('apache.conf', text)], port, folder.path);
}

/** Returns the replacements of the distribution's paths and addresses in a page by those of the test. */
export function places(folder: Folder, port: number, host: string): Record<string, string> {
  return {
    '*:443': `127.0.0.1:${port}`,
    '/var/www/html': `${folder.path}/htdocs`,
    [`/etc/ssl/${host}/fullchain.pem`]: folder.certificate,
    [`/etc/ssl/${host}/key.pem`]: folder.key,
  };
}

/** Returns the error log of Apache. */
export function log(folder: Folder): string {
  return readFileSync(errors(folder), 'utf8');
}

function errors(folder: Folder): string {
  return join(folder.path, 'error.log');
}
