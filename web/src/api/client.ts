/** The HTTP client: types come from contract/openapi.yaml, errors are problem+json turned into `ApiError`. */
import createClient from "openapi-fetch";

import type { components, paths } from "./schema.gen";

export type Schemas = components["schemas"];
export type Execution = Schemas["Execution"];
export type ExecutionSummary = Schemas["ExecutionSummary"];
export type Task = Schemas["Task"];
export type TaskDetail = Schemas["TaskDetail"];
export type TaskType = Schemas["TaskType"];
export type Workflow = Schemas["Workflow"];
export type WorkflowSummary = Schemas["WorkflowSummary"];
export type Problem = Schemas["Problem"];
export type Issue = Schemas["Issue"];
export type Status = Schemas["Status"];
export type TaskStatus = Schemas["TaskStatus"];
export type LogLine = Schemas["LogLine"];
export type JournalEvent = Schemas["Event"];
export type Stats = Schemas["Stats"];
export type Schedule = Schemas["Schedule"];
export type Webhook = Schemas["Webhook"];
export type PublishedEvent = Schemas["PublishedEvent"];
export type Poll = Schemas["Poll"];
export type WebhookRequest = Schemas["WebhookRequest"];

/** What the server said went wrong; `status` 0 when it could not be reached. */
export class ApiError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail || problem.title);
    this.problem = problem;
  }
  get status(): number {
    return this.problem.status;
  }
  get code(): string {
    return this.problem.code;
  }
}

function unreachable(path: string): ApiError {
  return new ApiError({ type: "about:blank", title: "Server not reached", status: 0, code: "client.unreachable", detail: "The server does not answer.", instance: path, request_id: "" });
}

export const api = createClient<paths>({
  baseUrl: "",
  fetch: async (request) => {
    try {
      return await fetch(request);
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      throw unreachable(new URL(request.url).pathname);
    }
  },
});

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The body of a good answer; throws `ApiError` for any other. */
export async function unwrap<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer;
  if (response.ok) return data as T;
  throw toApiError(error, response);
}

export function toApiError(error: unknown, response: Response): ApiError {
  if (typeof error === "object" && error !== null && "code" in error) return new ApiError(error as Problem);
  return new ApiError({
    type: "about:blank",
    title: response.statusText || `HTTP ${response.status}`,
    status: response.status,
    code: `http.${response.status}`,
    detail: `The server answered ${response.status}.`,
    instance: new URL(response.url, location.href).pathname,
    request_id: response.headers.get("x-request-id") ?? "",
  });
}

/** One key for one wish of the person: repeating the request after a lost answer is harmless. */
export function idempotent(): { "Idempotency-Key": string } {
  return { "Idempotency-Key": crypto.randomUUID() };
}
