/** For component tests: a server that answers what a test says, and a page with a query client around what is tested. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, type RenderResult } from "@testing-library/react";
import type { ReactNode } from "react";
import { vi } from "vitest";

export type Call = { method: string; path: string; query: URLSearchParams; headers: Headers; body: unknown };
type Answer = { status?: number; body?: unknown } | Error;

/** Answers every request by `answer`; gives the list of them. */
export function serve(answer: (call: Call) => Answer | Promise<Answer>): Call[] {
  const calls: Call[] = [];
  vi.stubGlobal("fetch", async (input: Request) => {
    const url = new URL(input.url, "http://localhost");
    const text = input.method === "GET" ? "" : await input.text();
    const call: Call = { method: input.method, path: url.pathname, query: url.searchParams, headers: input.headers, body: text === "" ? null : JSON.parse(text) };
    calls.push(call);
    const given = await answer(call);
    if (given instanceof Error) throw given;
    return new Response(given.body === undefined ? null : JSON.stringify(given.body), { status: given.status ?? 200, headers: { "content-type": "application/json" } });
  });
  return calls;
}

export function problem(status: number, code: string): { status: number; body: object } {
  return { status, body: { type: "about:blank", title: code, status, code, detail: `${code} happened`, instance: "/", request_id: "r1" } };
}

export function show(node: ReactNode): RenderResult {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return render(<QueryClientProvider client={client}>{node}</QueryClientProvider>);
}
