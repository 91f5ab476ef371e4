// Writes the software bill of materials (CycloneDX 1.5) of the two programs: `node tools/dist/sbom.mjs VERSION > sbom.cdx.json`.
//
// The linked packages are those that `cargo tree` lists for the target; their hashes are those of Cargo.lock.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const [version] = process.argv.slice(2);
const TARGET = 'x86_64-unknown-linux-gnu';
const PROGRAMS = ['postern-server', 'postern-client'];

const cargo = (...args) => execFileSync('cargo', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });
const key = ({ name, version: of }) => `${name} ${of}`;

const linked = new Set(
  cargo('tree', '--locked', ...PROGRAMS.flatMap((name) => ['--package', name]), '--edges', 'normal', '--target', TARGET, '--prefix', 'none', '--format', '{p}')
    .split('\n')
    .flatMap((line) => /^(\S+) v(\S+)/.exec(line)?.slice(1, 3).join(' ') ?? []),
);
const hashes = new Map(
  [...readFileSync(join(root, 'Cargo.lock'), 'utf8').matchAll(/\[\[package\]\]\nname = "(.*)"\nversion = "(.*)"\nsource = ".*"\nchecksum = "(.*)"/g)].map(
    ([, name, of, hash]) => [`${name} ${of}`, hash],
  ),
);
const metadata = JSON.parse(cargo('metadata', '--locked', '--format-version', '1', '--filter-platform', TARGET));
const packages = metadata.packages.filter((one) => linked.has(key(one))).sort((a, b) => (key(a) < key(b) ? -1 : 1));
const references = new Map(packages.map((one) => [one.id, reference(one)]));

const bom = {
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  version: 1,
  metadata: {
    timestamp: new Date(Number(process.env.SOURCE_DATE_EPOCH) * 1000).toISOString(),
    component: { type: 'application', 'bom-ref': 'postern', name: 'postern', version, licenses: [{ expression: 'Apache-2.0 OR MIT' }] },
  },
  components: packages.map((one) => ({
    type: 'library',
    'bom-ref': reference(one),
    name: one.name,
    version: one.version,
    ...(one.description ? { description: one.description.trim().replaceAll(/\s+/g, ' ') } : {}),
    ...(one.license ? { licenses: [{ expression: one.license.replaceAll('/', ' OR ').replaceAll(/ {2,}/g, ' ') }] } : {}),
    ...(hashes.has(key(one)) ? { hashes: [{ alg: 'SHA-256', content: hashes.get(key(one)) }], purl: reference(one) } : {}),
  })),
  dependencies: [
    { ref: 'postern', dependsOn: packages.filter((one) => PROGRAMS.includes(one.name)).map(reference) },
    ...metadata.resolve.nodes
      .filter(({ id }) => references.has(id))
      .map(({ id, deps }) => ({
        ref: references.get(id),
        dependsOn: [...new Set(deps.filter(isLinked).map(({ pkg }) => references.get(pkg)))].sort(),
      }))
      .sort((a, b) => (a.ref < b.ref ? -1 : 1)),
  ],
};
if (packages.length !== linked.size) throw new Error(`${linked.size} packages are linked, ${packages.length} are known`);
const digest = createHash('sha256').update(JSON.stringify(bom)).digest('hex');
// A version 8 UUID (RFC 9562): the same content has the same number.
const uuid = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-a${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
console.log(JSON.stringify({ ...bom, serialNumber: `urn:uuid:${uuid}` }, null, 1));

function isLinked({ pkg, dep_kinds: kinds }) {
  return references.has(pkg) && kinds.some(({ kind }) => kind === null);
}

/** Returns a package URL; packages of this repository are in no registry. */
function reference({ name, version: of, source }) {
  return source ? `pkg:cargo/${name}@${of}` : `postern/${name}@${of}`;
}
