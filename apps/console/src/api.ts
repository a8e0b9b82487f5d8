// SPDX-License-Identifier: Apache-2.0
// The public REST API and its event stream, as far as this page uses them.

export interface EdgeNode { id: string; name: string; state: string; version: string | null; last_seen: string | null }
export interface EdgeService { id: string; name: string; node: string; state: string; reason: string | null; config: PipelineConfig }
export interface Tag { name: string; writable?: boolean; min?: number; max?: number }
export interface PipelineConfig { drivers: { name: string; groups: { name: string; interval_ms: number; tags: Tag[] }[] }[] }
export type Scalar = number | boolean | string | null;
export interface TagValue { tag: string; time: string; value: Scalar; quality: string; error?: string | null; late?: boolean }
export interface Point { from: string; min: number; max: number; mean: number; count: number; late: number }
export interface AlarmRule { id: string; name: string; service: string | null; tag: string; operator: string; threshold: number; hysteresis: number; severity: string; enabled: boolean }
export interface Alarm { id: string; source: string; name: string; severity: string; state: string; tag?: string; subject: string; value: number | null; raised_at: string; cleared_at: string | null; message: string }
export interface AuditEntry {
  id: string; at: string; principal_kind: string; principal: string; principal_name: string; operation: string; outcome: string;
  subject_id: string; subject_name: string; details: Record<string, string>;
}
export interface Command { id: string; state: string; reason: string | null; value?: Scalar }
interface Page<T> { items: T[]; total: number }

/** A refusal by the server, with its own words. */
export class ApiError extends Error {
  constructor(readonly status: number, readonly reason: string, message: string, readonly params: Record<string, string> = {}) { super(message); }
}

const tokenKey = "ecp.access-token";
const refreshKey = "ecp.refresh-token";

/** One person's session. Tokens live in this tab only and end with it. */
export class Session {
  private token = sessionStorage.getItem(tokenKey);
  private refreshing: Promise<boolean> | null = null;

  get open(): boolean { return this.token !== null; }

  async logIn(email: string, password: string): Promise<void> {
    this.keep(await this.send("POST", "/api/v1/session", { email, password }));
  }
  async exchange(code: string): Promise<void> {
    this.keep(await this.send("POST", "/api/v1/session/link", { code }));
  }
  async logOut(): Promise<void> {
    try { await this.call("DELETE", "/api/v1/session", undefined, { "If-Match": "*" }); } finally { this.forget(); }
  }
  forget(): void {
    this.token = null;
    sessionStorage.removeItem(tokenKey);
    sessionStorage.removeItem(refreshKey);
  }

  get<T>(path: string): Promise<T> { return this.call<T>("GET", path); }
  post<T>(path: string, body: unknown): Promise<T> { return this.call<T>("POST", path, body); }

  /** Every page of a list. */
  async all<T>(path: string): Promise<T[]> {
    const items: T[] = [];
    for (;;) {
      const page = await this.get<Page<T>>(`${path}${path.includes("?") ? "&" : "?"}limit=200&offset=${items.length}`);
      items.push(...page.items);
      if (page.items.length === 0 || items.length >= page.total) return items;
    }
  }

  /** Read an event stream until it ends; the caller opens it again. */
  async events(path: string, signal: AbortSignal, opened: () => void, on: (name: string, data: unknown) => void): Promise<void> {
    const token = this.token;
    let answer = await this.fetch("GET", path, undefined, { Accept: "text/event-stream" }, signal);
    if (answer.status === 401 && (await this.renew(token))) {
      answer = await this.fetch("GET", path, undefined, { Accept: "text/event-stream" }, signal);
    }
    if (!answer.ok || !answer.body) throw await failure(answer);
    opened();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const parts = (rest + value).split("\n\n");
      rest = parts.pop() ?? "";
      for (const part of parts) {
        let name = "message", data = "";
        for (const line of part.split("\n")) {
          if (line.startsWith("event: ")) name = line.slice(7);
          else if (line.startsWith("data: ")) data += line.slice(6);
        }
        try {
          if (data) on(name, JSON.parse(data));
        } catch (error) {
          console.error(name, error); // One event that cannot be shown is no reason to lose the rest.
        }
      }
    }
  }

  private async call<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T> {
    const token = this.token;
    try {
      return (await this.send(method, path, body, headers)) as T;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401 && (await this.renew(token))) {
        return (await this.send(method, path, body, headers)) as T;
      }
      throw error;
    }
  }
  /** After a refusal of `token`: true when there is another one. A refresh token is good once, so calls share it. */
  private renew(token: string | null): Promise<boolean> {
    if (this.token !== token) return Promise.resolve(this.open);
    this.refreshing ??= this.refresh().finally(() => { this.refreshing = null; });
    return this.refreshing;
  }
  private async refresh(): Promise<boolean> {
    const refresh_token = sessionStorage.getItem(refreshKey);
    if (!refresh_token) return false;
    try {
      this.keep(await this.send("POST", "/api/v1/session/refresh", { refresh_token }));
      return true;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error; // The log-in itself may still be good.
      this.forget();
      return false;
    }
  }
  private keep(answer: unknown): void {
    const { access_token, refresh_token } = answer as { access_token: string; refresh_token: string };
    this.token = access_token;
    sessionStorage.setItem(tokenKey, access_token);
    sessionStorage.setItem(refreshKey, refresh_token);
  }
  private async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<unknown> {
    const answer = await this.fetch(method, path, body, headers);
    if (!answer.ok) throw await failure(answer);
    const text = await answer.text();
    return text ? JSON.parse(text) : undefined;
  }
  private fetch(method: string, path: string, body?: unknown, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
    const all: Record<string, string> = { ...headers };
    if (this.token) all["Authorization"] = `Bearer ${this.token}`;
    if (body !== undefined) all["Content-Type"] = "application/json";
    return fetch(path, { method, headers: all, body: body === undefined ? null : JSON.stringify(body), credentials: "omit", cache: "no-store", signal: signal ?? null });
  }
}

async function failure(answer: Response): Promise<ApiError> {
  try {
    const { reason, message, params } = (await answer.json()) as { reason: string; message: string; params?: Record<string, string> };
    return new ApiError(answer.status, reason, message, params);
  } catch {
    return new ApiError(answer.status, "", "");
  }
}
