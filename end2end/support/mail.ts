import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { environment, type Settings } from './server';

export interface Mail {
  to: string[];
  headers: Record<string, string>;
  body: string;
}

/** A mail server from PyPI with TLS, and the authority that signed its certificate. */
export class MailServer {
  readonly mails: Mail[] = [];
  private waiting: (() => void)[] = [];

  private constructor(
    readonly port: number,
    readonly folder: string,
    private readonly mode: 'starttls' | 'tls',
    private readonly child: ChildProcess,
  ) {}

  /** Starts it. `host`: the name in the certificate. */
  static async start(mode: 'starttls' | 'tls', host = 'localhost'): Promise<MailServer> {
    const folder = mkdtempSync(join(tmpdir(), 'postern-mail-'));
    certify(folder, host);
    const python = join(__dirname, '../.venv/bin/python');
    const script = join(__dirname, 'mail_server.py');
    const child = spawn(python, [script, mode, join(folder, 'leaf.pem'), join(folder, 'leaf.key')], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let log = '';
    child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    const lines = createInterface({ input: child.stdout });
    const port = await new Promise<number>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the mail server ended with ${code}: ${log}`)));
      lines.once('line', (line) => resolve(Number(line)));
    });
    const server = new MailServer(port, folder, mode, child);
    lines.on('line', (line) => {
      server.mails.push(JSON.parse(line) as Mail);
      server.waiting.splice(0).forEach((wake) => wake());
    });
    return server;
  }

  settings(): Settings {
    return {
      'mail.server': 'localhost',
      'mail.port': String(this.port),
      'mail.security': this.mode,
      'mail.from': 'postern@example.org',
      'mail.username': 'postern',
      'mail.password_file': join(this.folder, 'password'),
      'mail.certificate_authority': join(this.folder, 'ca.pem'),
    };
  }

  /** Returns the next message that was not returned yet. */
  async next(): Promise<Mail> {
    for (;;) {
      const mail = this.mails.shift();
      if (mail) return mail;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  stop(): void {
    this.child.removeAllListeners('exit');
    this.child.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Makes an authority, and a certificate that it signed. */
function certify(folder: string, host: string): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe', cwd: folder });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-subj', '/CN=Test authority', '-days', '1', '-keyout', 'ca.key', '-out', 'ca.pem');
  openssl('req', ...key, '-subj', '/CN=mail', '-keyout', 'leaf.key', '-out', 'leaf.csr');
  writeFileSync(join(folder, 'leaf.ext'), `subjectAltName=DNS:${host}\nbasicConstraints=CA:FALSE\n`);
  openssl('x509', '-req', '-in', 'leaf.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-days', '1', '-extfile', 'leaf.ext', '-out', 'leaf.pem');
  writeFileSync(join(folder, 'password'), 'correct horse\n', { mode: 0o600 });
}
