// Checks the list of components: `node tools/dist/sbom-test.mjs FILE`.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const bom = JSON.parse(readFileSync(process.argv[2], 'utf8'));
assert.equal(bom.bomFormat, 'CycloneDX');
assert.equal(bom.specVersion, '1.5');
assert.match(bom.serialNumber, /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
const names = new Set(bom.components.map(({ name }) => name));
for (const name of ['axum', 'sqlx-core', 'libsqlite3-sys', 'aws-lc-sys', 'rustls']) assert.ok(names.has(name), name);
const references = new Set(['postern', ...bom.components.map((component) => component['bom-ref'])]);
assert.equal(references.size, bom.components.length + 1, 'each component once');
for (const { ref, dependsOn } of bom.dependencies) {
  for (const other of [ref, ...dependsOn]) assert.ok(references.has(other), other);
}
for (const { name, purl, hashes, licenses } of bom.components) {
  assert.ok(licenses, `${name} has a license`);
  if (purl) assert.match(hashes[0].content, /^[0-9a-f]{64}$/, name);
}
