// Writes the pages of the reference from the programs: settings, commands, HTTP interface, metrics, error codes, audit
// events. `node tools/docs/reference.mjs FOLDER`, with POSTERN_BIN and POSTERN_CLIENT_BIN.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { commandPage } from './commands.mjs';
import { httpPage } from './http.mjs';
import { settingsPage } from './settings.mjs';

const root = resolve(import.meta.dirname, '../..');
const folder = resolve(process.argv[2]);
const postern = required('POSTERN_BIN');
const client = required('POSTERN_CLIENT_BIN');
const read = (path) => readFileSync(join(root, path), 'utf8');

mkdirSync(folder, { recursive: true });
const server = await start();
try {
  page('settings', settingsPage(read('postern.toml'), read('time-server.toml'), run(postern, ['config', 'print'])));
  page('commands', commandPage('postern', 'The program `postern`', (args) => run(postern, args)));
  page('client', commandPage('postern-client', 'The program `postern-client`', (args) => run(client, args)));
  page('http', httpPage(await (await fetch(`${server.portal}/api/openapi.json`)).json()));
  page('metrics', metricsPage(await (await fetch(`${server.operator}/metrics`)).text(), read('server/src/ops_listener/gate.rs')));
  page('errors', errorsPage(read('crates/wire/src/problem.rs')));
  page('events', eventsPage(read('crates/store/src/audit.rs')));
} finally {
  server.end();
}

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} names no program: run 'make build' first`);
  return resolve(value);
}

function page(name, text) {
  writeFileSync(join(folder, `${name}.md`), text);
}

/** Returns the standard output of a command, without settings of this machine. */
function run(program, args) {
  const scratch = mkdtempSync(join(tmpdir(), 'postern-docs-'));
  const environment = { PATH: process.env.PATH, HOME: scratch, NO_COLOR: '1', LANG: 'C.UTF-8' };
  try {
    return execFileSync(program, args, { cwd: scratch, env: environment, encoding: 'utf8' });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Starts a portal with the default settings on free ports, which it prints. */
async function start() {
  const scratch = mkdtempSync(join(tmpdir(), 'postern-docs-'));
  const settings = ['listen=127.0.0.1:0', 'operator.listen=127.0.0.1:0', 'time.embedded=false', 'log.level=error', 'password.memory_kib=64', 'password.passes=1'];
  const args = ['serve', '--data-dir', scratch, ...settings.flatMap((setting) => ['--set', setting])];
  const child = spawn(postern, args, { cwd: scratch, env: { PATH: process.env.PATH }, stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = new Promise((ended) => child.once('exit', ended));
  let greeting = '';
  const [portal, operator] = await new Promise((listens, fails) => {
    gone.then((code) => fails(new Error(`the portal ended with ${code}: ${greeting}`)));
    child.stdout.on('data', (chunk) => {
      greeting += chunk;
      const addresses = [/listens on (http:\S+)/, /Health and metrics are on (http:\S+)/].map((line) => line.exec(greeting)?.[1]);
      if (addresses.every(Boolean)) listens(addresses);
    });
  });
  return {
    portal,
    operator,
    end: () => {
      child.kill('SIGTERM');
      gone.then(() => rmSync(scratch, { recursive: true, force: true }));
    },
  };
}

/** `gate`: the source of the gate's metrics, some of which exist only while it sees a chain. */
function metricsPage(text, gate) {
  const rows = [];
  for (const [, name, help] of text.matchAll(/^# HELP (\S+) (.*)$/gm)) {
    const type = new RegExp(`^# TYPE ${name} (\\S+)$`, 'm').exec(text)?.[1] ?? 'unknown';
    const labels = new Set([...text.matchAll(new RegExp(`^${name}\\w*\\{([^}]*)\\}`, 'gm'))].flatMap(([, all]) => all.split(',').map((label) => label.split('=')[0])));
    labels.delete('le');
    const shown = type === 'counter' ? `${name}_total` : type === 'info' ? `${name}_info` : name;
    rows.push(`| \`${shown}\` | ${type} | ${[...labels].map((label) => `\`${label}\``).join(', ')} | ${help} |`);
  }
  const gauges = [...gate.matchAll(/"(postern_gate_\w+)",\s*"([^"]+)"/g)].map(([, name, help]) => `| \`${name}\` | gauge | ${help} |`);
  if (rows.length === 0 || gauges.length === 0) throw new Error('no metric is documented');
  return `# Metrics\n\nA portal with default settings reports these at \`/metrics\` of \`operator.listen\`, in the OpenMetrics format. [Running Postern](../running.md#health-and-metrics) names good alerts.\n\n| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n${rows.sort().join('\n')}\n\n## The paid gate\n\nThe gate reports these at \`/metrics\` of \`toll.operator_listen\`. [If the node is away](../toll.md#if-the-node-is-away) says what they mean.\n\n| Metric | Type | Meaning |\n|---|---|---|\n${gauges.sort().join('\n')}\n`;
}

/** Returns the variants of an enum in Rust, with their doc comments. */
function variants(source, name) {
  const body = new RegExp(`pub enum ${name} \\{\\n(.*?)\\n\\}`, 's').exec(source)?.[1];
  if (body === undefined) throw new Error(`there is no enum ${name}`);
  let comment = [];
  return body.split('\n').flatMap((line) => {
    const text = /^\s*\/\/\/ ?(.*)$/.exec(line)?.[1];
    if (text !== undefined) comment.push(text);
    const variant = /^\s*([A-Z]\w*),$/.exec(line)?.[1];
    if (!variant) return [];
    const found = { variant, text: comment.join(' ') };
    comment = [];
    return [found];
  });
}

function snake(variant) {
  return variant.replace(/(?!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}

function errorsPage(source) {
  const rows = variants(source, 'Code')
    .filter(({ variant }) => variant !== 'Unknown')
    .map(({ variant, text }) => {
      const [, meaning, status] = /^(.*?)\s*((?:\d{3}(?: or )?)+)\.?$/.exec(text) ?? [undefined, text, ''];
      return `| \`${snake(variant)}\` | ${status} | ${meaning} |`;
    });
  return `# Error codes\n\nEvery error is \`application/problem+json\` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)) with a stable \`code\`. Programs use the code and never the text, and treat an unknown code by the class of its status. The codes of the paid gate are in [The paid gate](../toll.md#the-protocol).\n\n| Code | Status | Meaning |\n|---|---|---|\n${rows.join('\n')}\n`;
}

function eventsPage(source) {
  const words = new Map([...source.matchAll(/Self::(\w+) => "(\w+)"/g)].map(([, variant, word]) => [variant, word]));
  const rows = variants(source, 'AuditEvent').map(({ variant, text }) => {
    const word = words.get(variant);
    if (!word) throw new Error(`the audit event ${variant} has no word`);
    return `| \`${word}\` | ${text || `${sentence(variant)}.`} |`;
  });
  return `# Audit events\n\n\`postern audit --event WORD\` and the page *Audit* filter by these words. [Personal data](../data.md) says how long entries are kept.\n\n| Event | Meaning |\n|---|---|\n${rows.join('\n')}\n`;
}

function sentence(variant) {
  const words = snake(variant).replaceAll('_', ' ');
  return words[0].toUpperCase() + words.slice(1);
}
