import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Block } from './blocks';
import { certify } from './proxy';
import { newPassword, program } from './server';

const LLDAP = `
  CREATE TABLE users (user_id TEXT PRIMARY KEY, email TEXT NOT NULL, display_name TEXT, password_hash BLOB);
  CREATE TABLE groups (group_id INTEGER PRIMARY KEY, display_name TEXT NOT NULL);
  CREATE TABLE memberships (user_id TEXT, group_id INTEGER);
  INSERT INTO users VALUES ('annabella', 'annabella@example.org', NULL, NULL);`;

/** The preparation of a block before it can run, by its mark. */
const PREPARED: Record<string, (machine: Machine) => unknown> = {
  '': () => {},
  'after the backup above': () => {},
  'with the account byron': (machine) => machine.account('byron'),
  'with the account byron, which has no session': (machine) => machine.account('byron'),
  'with a second factor of byron': (machine) => machine.factor('byron'),
  'with 203.0.113.7 banned': (machine) => machine.bash('postern ban add 203.0.113.7 --reason test'),
  'after the settings above': () => {},
  'with the service time and new.jwk': (machine) =>
    machine.bash('postern time-server key > old.jwk; postern service add time --key old.jwk; mv data old; postern time-server key > new.jwk'),
  'with a passphrase in /etc/postern/passphrase': (machine) => machine.write('/etc/postern/passphrase', `${newPassword()}\n`),
  'with the users of Authelia': (machine) =>
    machine.write('/tmp/users_database.yml', `users:\n  byron:\n    displayname: Byron\n    password: '$argon2id$v=19$m=64,t=1,p=1$BQUFBQUFBQUFBQUF$${'A'.repeat(43)}'\n    groups: [poets]\n`),
  'with the users of lldap': (machine) => {
    machine.write('/tmp/lldap.py', `import sqlite3\nsqlite3.connect('users.db').executescript("""${LLDAP}""")\n`);
    machine.bash('python3 lldap.py');
  },
  'on the database': (machine) => machine.database(),
  'on node 1 with the database': (machine) => machine.database(),
  'on node 1, with node 2': (machine) => machine.database(),
  'with the database': (machine) => machine.database(),
  'on the database, in the background': (machine) => machine.database(),
  'on the database, to a moment before the account eve was added': (machine) => machine.database(),
  'with the files of 0.1': (machine) => {
    machine.write('/usr/local/bin/postern', '');
    machine.write('/etc/systemd/system/postern.service', '');
  },
};

/** Marks of blocks that do not run here; every other mark is in `PREPARED`. */
export const ELSEWHERE = /^(no, .{10,}|dist|by end2end\/tests\/\w+\.spec\.ts)$/;

/**
 * A folder that replaces a machine with Postern's package. Absolute paths of a page are changed to paths in it. The
 * commands are the real ones; `sudo` and `systemctl` are replaced, and configurations of proxies get a certificate and
 * free ports.
 */
export class Machine {
  private toml = '';
  readonly root = mkdtempSync(join(tmpdir(), 'postern-guide-'));
  /** The address of PostgreSQL, once a page needs it. */
  private postgres?: { place: string; port: string };
  /** Programs in the background. */
  private readonly running: string[] = [];

  constructor(ports: [number, number]) {
    for (const folder of ['etc/postern', 'etc/nginx/conf.d', 'etc/caddy', 'etc/haproxy', 'var/lib/postern', 'var/backups', 'node2/var/lib/postern', 'root', 'tmp', 'mnt/backups', 'bin']) {
      mkdirSync(join(this.root, folder), { recursive: true });
    }
    cpSync(join(__dirname, '../../deploy'), join(this.root, 'usr/share/doc/postern/examples'), { recursive: true });
    certify(this.root, ['localhost']);
    writeFileSync(join(this.root, 'both.pem'), readFileSync(join(this.root, 'fullchain.pem'), 'utf8') + readFileSync(join(this.root, 'key.pem'), 'utf8'));
    this.tool('sudo', 'if [ "$1" = -u ]; then case "$2" in (postern | postgres) ;; (*) exit 1 ;; esac; shift 2; fi; exec "$@"');
    // The second node has the same settings and a data folder of its own.
    this.tool('ssh', `[ "$1" = 10.0.1.2 ] && POSTERN_DATA_DIR='${this.root}/node2/var/lib/postern' exec sh -c "$(printf %s "$2" | sed 's#${this.root}/var/#${this.root}/node2/var/#g')"`);
    this.tool('systemctl', 'case "$1 $2" in (reload\\ nginx | reload\\ caddy | reload\\ haproxy | start\\ postern | stop\\ postern | restart\\ postern) ;; (*) exit 1 ;; esac');
    // `doctor` may report this machine as slow or its hashing as weak; here it only has to run.
    this.tool(
      'postern',
      // The time server has a settings file of its own.
      `[ "$1" != time-server ] || unset POSTERN_CONFIG POSTERN_DATA_DIR
      case "$*" in
        (time-server) ;;
        (*) '${program()}' "$@" || { code=$?; [ "$1 $code" = 'doctor 1' ] || exit $code; }; exit ;;
      esac
      # A program that serves must say so, and is then ended.
      '${program()}' "$@" --set listen=127.0.0.1:0 --set tcp=127.0.0.1:0 > serves.log 2>&1 & pid=$!
      until grep -q 'listens on' serves.log; do kill -0 $pid || { cat serves.log; exit 1; }; sleep 0.1; done
      kill $pid; wait $pid`,
    );
    const inside = `sed -e 's#/etc/letsencrypt/live/[^/]*/#${this.root}/#' -e 's#/etc/haproxy/.*[.]pem#${this.root}/both.pem#' -e 's#privkey[.]pem#key.pem#'`;
    const listeners = `-e 's/listen 443/listen 127.0.0.1:${ports[0]}/' -e 's/listen 80/listen 127.0.0.1:${ports[1]}/' -e '/listen .::/d'`;
    this.tool(
      'nginx',
      `[ "$*" = -t ] || exit 1
      for file in ${this.root}/etc/nginx/conf.d/*.conf; do ${inside} ${listeners} "$file"; done > ${this.root}/sites.conf
      echo 'pid ${this.root}/nginx.pid; events {} http { access_log off; include ${this.root}/sites.conf; }' > ${this.root}/nginx.conf
      exec /usr/sbin/nginx -t -p ${this.root} -e stderr -c ${this.root}/nginx.conf`,
    );
    this.tool('haproxy', `[ "$1 $2" = '-c -f' ] && ${inside} "$3" > ${this.root}/haproxy.cfg && exec /usr/sbin/haproxy -c -f ${this.root}/haproxy.cfg`);
    this.write('/etc/postern/postern.toml', '');
    // Adds the person who opened the set-up link.
    this.account('ada');
  }

  /** Runs a block. Throws an error with its whole output if a command of it fails. */
  run(block: Block): string {
    const prepare = PREPARED[block.mark];
    if (!prepare) throw new Error(`nothing is known about "${block.mark}"`);
    prepare(this);
    // If no session was ended, the command ends with 3, also before further lines.
    const text = block.mark.endsWith('no session') ? block.text.replaceAll(/^.* session end .*$/gm, '$& || [ $? = 3 ]') : block.text;
    const background = /^pg_receivewal .* --synchronous$/m;
    if (!background.test(text)) return this.bash(text);
    const printed = this.bash(text.replace(background, '$& > /tmp/receivewal.log 2>&1 &\necho $! > /tmp/receivewal.pid'));
    this.running.push(this.bash('cat /tmp/receivewal.pid').trim());
    return printed;
  }

  /** Starts a PostgreSQL that runs as long as this machine. */
  database(): void {
    if (this.postgres) return;
    const file = join(this.root, 'postgres');
    const start = '"$1" sh -c \'echo "$TEST_POSTGRES_URL" > "$0"; exec sleep 900\' "$2" < /dev/null > /dev/null 2>&1 & echo $!; until [ -s "$2" ]; do sleep 0.1; done';
    this.running.push(execFileSync('bash', ['-c', start, '-', join(__dirname, '../../tools/with-postgres.sh'), file], { encoding: 'utf8' }).trim());
    const [, place = '', port = ''] = /@(.*:(\d+))\//.exec(readFileSync(file, 'utf8')) ?? [];
    this.postgres = { place, port };
  }

  /** Ends the program whose process id a block has written to a file. */
  end(file: string): void {
    this.bash(`kill "$(cat ${file})"`);
  }

  /**
   * Starts a PostgreSQL on a folder that a block has made, as `pg_ctl` does for an operator, and waits until it has
   * recovered as its settings require. Returns its address.
   */
  revive(folder: string, port: number): string {
    const initdb = execFileSync(join(__dirname, '../../tools/find-program.sh'), ['initdb'], { encoding: 'utf8' }).trim();
    const script = `
      owner=nobody; id postgres > /dev/null 2>&1 && owner=postgres
      as=; [ "$(id -u)" != 0 ] || { as="runuser -u $owner --"; chmod 755 ${this.root}; chown -R $owner ${folder} ${this.root}/var/backups/wal; }
      chmod 700 ${folder}
      cd / && $as ${dirname(initdb)}/pg_ctl --pgdata=${folder} --log=${folder}/server.log --wait --silent \
        --options='-p ${port} -k ${folder} -c listen_addresses=127.0.0.1 -c fsync=off' start < /dev/null > /dev/null 2>&1 || { cat ${folder}/server.log >&2; exit 1; }
      until [ "$(psql -h 127.0.0.1 -p ${port} -U postgres -Atc 'SELECT pg_is_in_recovery()' postgres)" = f ]; do sleep 0.2; done
      head -1 ${folder}/postmaster.pid`;
    const done = execFileSync('bash', ['-euc', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    this.running.push(done.trim().split('\n').at(-1) ?? '');
    return `127.0.0.1:${port}`;
  }

  /** Replaces the settings of the machine, and checks them. */
  settings(text: string, added = false): string {
    this.toml = added ? `${this.toml}\n${text}` : text;
    const place = this.postgres?.place ?? '10.0.2.1';
    this.write('/etc/postern/postern.toml', this.toml.replaceAll('"/etc/', `"${this.root}/etc/`).replaceAll(/(?<=@)10\.0\.2\.1/g, place));
    return this.bash('postern config check');
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text, { mode: 0o600 });
  }

  /** Gives an account a generator of one-time codes that no code was made with. */
  factor(name: string): void {
    this.account(name);
    const insert = `INSERT INTO totp (id, user_id, sealed, created_at, confirmed_at) SELECT 'a', id, '', 1, 1 FROM users WHERE name = '${name}'`;
    this.write('/tmp/factor.py', `import sqlite3\nwith sqlite3.connect('${this.root}/var/lib/postern/postern.db') as database: database.execute("""${insert}""")\n`);
    this.bash('python3 /tmp/factor.py');
  }

  /** Adds an account, unless it exists. */
  account(name: string): void {
    if (!this.bash('postern user list').includes(name)) this.bash(`echo '${newPassword()}' | postern user add ${name}`);
  }

  remove(): void {
    // A background job of a shell ignores SIGINT; a PostgreSQL ends its connections only at SIGINT.
    const end = 'kill -TERM $1 2> /dev/null && kill -INT $1; for n in $(seq 100); do kill -0 $1 2> /dev/null || exit 0; sleep 0.1; done; exit 1';
    for (const id of this.running.reverse()) execFileSync('bash', ['-c', end, '-', id]);
    rmSync(this.root, { recursive: true, force: true });
  }

  private tool(name: string, body: string): void {
    writeFileSync(join(this.root, 'bin', name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }

  bash(text: string): string {
    const place = this.postgres?.place ?? '10.0.2.1';
    const here = text.replaceAll(/(?<=^|[\s'"=])\/(etc|var|usr|root|tmp|mnt)\//g, `${this.root}/$1/`).replaceAll(/(?<=@)10\.0\.2\.1/g, place);
    const environment = {
      PATH: `${this.root}/bin:${process.env.PATH}:/usr/sbin:/usr/lib/postgresql/15/bin`,
      ...(this.postgres && { PGHOST: '127.0.0.1', PGPORT: this.postgres.port, PGUSER: 'postgres' }),
      HOME: this.root,
      NO_COLOR: '1',
      POSTERN_CONFIG: join(this.root, 'etc/postern/postern.toml'),
      POSTERN_DATA_DIR: join(this.root, 'var/lib/postern'),
      POSTERN_PASSWORD__MEMORY_KIB: '64',
      POSTERN_PASSWORD__PASSES: '1',
    };
    try {
      return execFileSync('bash', ['-euo', 'pipefail', '-c', `${here} 2>&1`], { cwd: join(this.root, 'tmp'), env: environment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    } catch (error) {
      throw new Error(`${here}\n${String((error as { stdout?: string }).stdout)}\n${String((error as { stderr?: string }).stderr)}`);
    }
  }
}
