// Makes the page of settings, from the commented settings files and from the program's list.

/**
 * Returns the page. `known`: the output of `postern config print`. Throws if the program has a setting that the file
 * does not document.
 */
export function settingsPage(portal, timeServer, known) {
  const sections = parse(portal);
  const documented = new Set(sections.flatMap(({ name, settings }) => settings.map((setting) => (name ? `${name}.${setting.name}` : setting.name))));
  for (const name of namesIn(known)) {
    if (!documented.has(name) && !sections.some((section) => section.name === name)) throw new Error(`postern.toml does not document ${name}`);
  }
  return `# Settings

Settings come from \`postern.toml\`, the environment and flags; later ones override earlier ones. \`postern config check\` names mistakes, and \`postern config print\` shows each value with its source.

The environment variable of \`ban.preset\` is \`POSTERN_BAN__PRESET\`, the flag is \`--set ban.preset=strict\`.

${sections.map((section) => render(section, 'POSTERN_')).join('\n')}
# Settings of the time server

\`postern time-server\` reads \`time-server.toml\`. The environment variable of \`idle\` is \`POSTERN_TIME_IDLE\`.

${parse(timeServer).map((section) => render(section, 'POSTERN_TIME_', 'Time server, ')).join('\n')}`;
}

/** Returns the sections in the order of the file: `{name, list, about, settings: [{name, value, set, about}]}`. */
function parse(text) {
  const sections = [{ name: '', list: false, about: '', settings: [] }];
  let comment = [];
  let afterSetting = false;
  for (const line of text.split('\n')) {
    const heading = /^#?(\[\[?)([\w.]+)\]\]?$/.exec(line);
    const setting = /^(#?)(\w+) = (.*)$/.exec(line);
    const prose = /^#(?: (.*))?$/.exec(line);
    if (heading) {
      const known = sections.find((section) => section.name === heading[2]);
      if (!known) sections.push({ name: heading[2], list: heading[1] === '[[', about: comment.join(' '), settings: [] });
      comment = [];
    } else if (setting) {
      const section = sections.at(-1);
      const [value, remark] = split(setting[3]);
      if (comment.length === 0 && !remark && afterSetting) comment = [section.settings.at(-1)?.about ?? ''];
      const about = [...comment, remark].filter(Boolean).join(' ');
      if (!section.settings.some((other) => other.name === setting[2])) section.settings.push({ name: setting[2], value, set: setting[1] === '', about });
      comment = [];
      afterSetting = true;
    } else if (prose) {
      comment.push(prose[1] ?? '');
      afterSetting = false;
    } else {
      if (comment.length > 0) sections.at(-1).about = [sections.at(-1).about, comment.join(' ')].filter(Boolean).join(' ');
      comment = [];
      afterSetting = false;
    }
  }
  return sections.filter((section) => section.settings.length > 0);
}

/** Returns a value and the remark after it; a `#` inside quotes is no remark. */
function split(text) {
  let quoted = false;
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '"') quoted = !quoted;
    if (text[index] === '#' && !quoted) return [text.slice(0, index).trim(), text.slice(index + 1).trim()];
  }
  return [text.trim(), ''];
}

function namesIn(printed) {
  let section = '';
  return printed.split('\n').flatMap((line) => {
    section = /^\[+([\w.]+)\]+$/.exec(line)?.[1] ?? section;
    const name = /^(\w+) = /.exec(line)?.[1];
    return name ? [section ? `${section}.${name}` : name] : [];
  });
}

function render({ name, list, about, settings }, prefix, before = '') {
  const heading = name ? `\`[${list ? `[${name}]` : name}]\`` : 'At the top of the file';
  const rows = settings.map((setting) => {
    const variable = list ? '' : `\`${prefix}${[...name.split('.'), setting.name].filter(Boolean).join('__').toUpperCase()}\``;
    const value = setting.set || name.startsWith('ban') ? code(setting.value) : `${code(setting.value)} (example)`;
    return list ? `| \`${setting.name}\` | ${code(setting.value)} | ${cell(setting.about)} |` : `| \`${setting.name}\` | ${value} | ${variable} | ${cell(setting.about)} |`;
  });
  const head = list ? '| Setting | Example | Meaning |\n|---|---|---|' : '| Setting | Default | Environment | Meaning |\n|---|---|---|---|';
  return `## ${before}${heading}\n\n${about ? `${about}\n\n` : ''}${head}\n${rows.join('\n')}\n`;
}

const code = (text) => `\`${text.replaceAll('|', '\\|')}\``;
const cell = (text) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
