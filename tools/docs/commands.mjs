// Makes the page of a program's commands, from its own --help.

/** Returns the page. `help`: returns the output of the program with these arguments. */
export function commandPage(program, title, help) {
  const parts = walk([], help);
  return `# ${title}\n\nThis is what \`--help\` prints.\n\n${parts.map(({ path, text }) => `## \`${[program, ...path].join(' ')}\`\n\n\`\`\`text\n${text.trimEnd()}\n\`\`\`\n`).join('\n')}`;
}

function walk(path, help) {
  const text = help([...path, '--help']);
  return [{ path, text }, ...commandsIn(text).flatMap((name) => walk([...path, name], help))];
}

function commandsIn(text) {
  const list = /^Commands:\n((?: {2}.*\n|\n)*)/m.exec(text)?.[1] ?? '';
  return [...list.matchAll(/^ {2}([a-z][\w-]*)/gm)].map(([, name]) => name).filter((name) => name !== 'help');
}
