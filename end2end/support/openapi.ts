import Ajv2020, { type ErrorObject } from 'ajv/dist/2020';
import { expect } from '@playwright/test';
import type { Answer, Client } from './client';

// The document is JSON of many forms.
type Json = any;

export interface Operation {
  id: string;
  path: string;
  method: string;
  about: Json;
}

/** Values of a request in place of the document's examples. */
export interface Call {
  /** Path parameters, and queries in addition to the examples. */
  params?: Record<string, string>;
  headers?: Record<string, string>;
  /** Makes the body from its example; a text is sent unchanged. */
  body?: (example: Json) => Json;
}

const FORM = 'application/x-www-form-urlencoded';
/** Statuses that are possible on any path: a banned address, a wrong method, a busy server. */
const ANYWHERE = new Set([403, 405, 408, 413, 500, 503]);

/** The OpenAPI document of a server, and requests that are made and checked by it. */
export class OpenApi {
  readonly operations: Operation[];
  /** Answers that were received, by operation: `login 200`. */
  readonly seen = new Set<string>();
  private readonly ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });

  constructor(readonly document: Json) {
    this.ajv.addSchema(closed(document), 'openapi');
    this.operations = Object.entries<Json>(document.paths).flatMap(([path, item]) =>
      Object.entries<Json>(item).map(([method, about]) => ({ id: about.operationId, path, method: method.toUpperCase(), about })),
    );
  }

  static async of(client: Client): Promise<OpenApi> {
    return new OpenApi((await client.get('/api/openapi.json')).json);
  }

  operation(id: string): Operation {
    const operation = this.operations.find((one) => one.id === id);
    if (!operation) throw new Error(`there is no operation ${id}`);
    return operation;
  }

  /** Sends an operation's example and checks the answer. */
  async play(client: Client, id: string, call: Call = {}): Promise<Answer> {
    const operation = this.operation(id);
    const { about, method } = operation;
    const headers: Record<string, string> = {};
    const query: string[] = [];
    let { path } = operation;
    for (const { name, in: place, example } of about.parameters ?? []) {
      const value = call.params?.[name] ?? example;
      if (value === undefined) continue;
      if (place === 'path') path = path.replace(`{${name}}`, encodeURIComponent(value));
      if (place === 'query') query.push(value === '' ? name : `${name}=${encodeURIComponent(value)}`);
      if (place === 'header') headers[name.toLowerCase()] = value;
    }
    const [type, content] = Object.entries<Json>(about.requestBody?.content ?? {})[0] ?? [];
    const example = content?.example;
    const given = call.body ? call.body(structuredClone(example)) : example;
    const body = type === FORM && typeof given === 'object' ? new URLSearchParams(given as Record<string, string>).toString() : given;
    const answer = await client.request(method, query.length > 0 ? `${path}?${query.join('&')}` : path, {
      headers: { ...headers, ...(type === undefined || example === undefined ? {} : { 'content-type': type }), ...call.headers },
      ...(typeof body === 'string' ? { body } : body === undefined ? {} : { json: body }),
      endless: 'text/event-stream' in (about.responses[200]?.content ?? {}),
    });
    this.judge(operation, answer);
    return answer;
  }

  /** Returns the answers below 400 that the document describes and that were not received. */
  unseen(): string[] {
    const promised = this.operations.flatMap(({ id, about }) => Object.keys(about.responses).map((status) => `${id} ${status}`));
    return promised.filter((answer) => /[23]\d\d$/.test(answer) && !this.seen.has(answer));
  }

  /** Returns the document's examples that do not match their schema. */
  unfit(): string[] {
    const wrong: string[] = [];
    const look = (value: Json, pointer: string): void => {
      if (typeof value !== 'object' || value === null) return;
      if (value.schema && 'example' in value) {
        const errors = this.errors(`${pointer}/schema`, value.example);
        if (errors) wrong.push(`${pointer}: ${errors}`);
      }
      for (const [name, member] of Object.entries(value)) look(member, `${pointer}/${escape(name)}`);
    };
    look(this.document, '');
    return wrong;
  }

  private judge({ id, path, method, about }: Operation, answer: Answer): void {
    const { status, text } = answer;
    const said = `${id}: ${status} ${text.slice(0, 300)}`;
    const listed = status in about.responses;
    expect(listed || ANYWHERE.has(status), `${said} is not in the document`).toBe(true);
    this.seen.add(`${id} ${status}`);
    const reference = `/paths/${escape(path)}/${method.toLowerCase()}/responses/${listed ? status : 'default'}`;
    const { pointer, value } = this.resolve(reference);
    const type = answer.headers['content-type']?.split(';')[0];
    if (!value.content) {
      expect([text, type], said).toEqual(['', undefined]);
      return;
    }
    expect(Object.keys(value.content), said).toContain(type);
    const body = /[/+]json$/.test(type ?? '') ? answer.json : text;
    expect(this.errors(`${pointer}/content/${escape(type ?? '')}/schema`, body), said).toBe('');
  }

  private errors(pointer: string, value: Json): string {
    const validate = this.ajv.getSchema(`openapi#${pointer}`);
    if (!validate) throw new Error(`no schema at ${pointer}`);
    if (validate(value)) return '';
    return (validate.errors ?? []).map(({ instancePath, message, params }: ErrorObject) => `${instancePath} ${message} ${JSON.stringify(params)}`).join('; ');
  }

  private resolve(pointer: string): { pointer: string; value: Json } {
    const names = pointer.split('/').slice(1).map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
    const value = names.reduce((at, name) => at[name], this.document);
    return value.$ref ? this.resolve(value.$ref.slice(1)) : { pointer, value };
  }
}

function escape(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** Returns a schema that allows no additional members. Members may be added later, and then the document names them. */
function closed(value: Json): Json {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([name, member]) => [name, closed(member)]));
  return copy.type === 'object' && copy.properties ? { additionalProperties: false, ...copy } : copy;
}
