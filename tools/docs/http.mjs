// Makes the page of the HTTP interface, from the server's own OpenAPI document.

export function httpPage(document) {
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    ['get', 'post', 'put', 'patch', 'delete', 'head', 'options'].flatMap((method) => (item[method] ? [{ path, method, item, ...item[method] }] : [])),
  );
  const parts = document.tags.map((tag) => {
    const own = operations.filter((operation) => operation.tags?.includes(tag.name));
    return `## ${tag.name}\n\n${tag.description}\n\n${own.map((operation) => render(operation, document)).join('\n')}`;
  });
  const stray = operations.filter((operation) => !document.tags.some((tag) => operation.tags?.includes(tag.name)));
  if (stray.length > 0) throw new Error(`operations without a tag: ${stray.map(({ path }) => path).join(', ')}`);
  return `# HTTP interface\n\n${document.info.description}\n\nThe machine-readable document (OpenAPI ${document.openapi}) is at \`/api/openapi.json\` of every server.\n\n${parts.join('\n')}`;
}

function render({ method, path, item, summary, description, parameters = [], requestBody, responses }, document) {
  const lines = [`### \`${method.toUpperCase()} ${path}\``, '', `${summary}. ${description ?? ''}`.trim(), ''];
  const taken = [...(item.parameters ?? []), ...parameters].map((parameter) => follow(parameter, document));
  if (taken.length > 0) {
    lines.push('| Parameter | In | Meaning |', '|---|---|---|');
    for (const { name, in: where, required, description: meaning } of taken) {
      lines.push(`| \`${name}\`${required ? '' : ' (optional)'} | ${where} | ${cell(meaning ?? '')} |`);
    }
    lines.push('');
  }
  const body = follow(requestBody, document)?.content?.['application/json'];
  if (body?.example) lines.push('Request:', '', '```json', JSON.stringify(body.example, null, 2), '```', '');
  lines.push('| Status | Answer |', '|---|---|');
  for (const [status, response] of Object.entries(responses)) {
    lines.push(`| ${status} | ${cell(follow(response, document).description ?? '')} |`);
  }
  const answer = follow(responses['200'] ?? responses['201'], document)?.content?.['application/json']?.example;
  if (answer) lines.push('', 'Answer:', '', '```json', JSON.stringify(answer, null, 2), '```');
  return [...lines, ''].join('\n');
}

/** Returns a part of the document, or the part that it refers to. */
function follow(part, document) {
  const path = part?.$ref;
  if (!path) return part;
  const found = path.replace(/^#\//, '').split('/').reduce((value, name) => value?.[name.replaceAll('~1', '/').replaceAll('~0', '~')], document);
  if (!found) throw new Error(`${path} leads nowhere`);
  return found;
}

const cell = (text) => text.replaceAll('\n', ' ').replaceAll('|', '\\|').replaceAll('<', '&lt;');
