/** All addresses. Every filter is in the address, so that a view can be sent to somebody. Pages are loaded when first opened. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";

import { t } from "../text";
import { Empty } from "../ui/states";
import { PageError } from "./error_boundary";
import { Layout } from "./layout";

const root = createRootRoute({
  component: Layout,
  notFoundComponent: () => (
    <main className="page" id="content">
      <Empty title={t.app.notFoundTitle}>{t.app.notFound}</Empty>
    </main>
  ),
});

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined;
}

/** Only the given names of an address's query, as texts; anything else is ignored. */
function pick<N extends string>(...names: N[]): (search: Record<string, unknown>) => { [K in N]?: string } {
  return (search) => Object.fromEntries(names.flatMap((name) => (text(search[name]) === undefined ? [] : [[name, text(search[name])]]))) as { [K in N]?: string };
}

export const homeRoute = createRoute({ getParentRoute: () => root, path: "/", validateSearch: pick("hours"), component: lazyRouteComponent(() => import("../routes/home"), "HomePage") });
export const workflowsRoute = createRoute({
  getParentRoute: () => root,
  path: "/workflows",
  validateSearch: pick("search", "status"),
  component: lazyRouteComponent(() => import("../routes/workflows"), "WorkflowsPage"),
});
export const designerRoute = createRoute({
  getParentRoute: () => root,
  path: "/workflows/$id",
  validateSearch: pick("view", "step", "execution", "tab"),
  component: lazyRouteComponent(() => import("../routes/designer"), "DesignerPage"),
});
export const executionsRoute = createRoute({
  getParentRoute: () => root,
  path: "/executions",
  validateSearch: pick("workflow", "status", "trigger", "label", "since", "search", "parent", "retry_of", "group"),
  component: lazyRouteComponent(() => import("../routes/executions"), "ExecutionsPage"),
});
export const executionRoute = createRoute({
  getParentRoute: () => root,
  path: "/executions/$id",
  validateSearch: pick("tab", "step", "line", "event"),
  component: lazyRouteComponent(() => import("../routes/execution"), "ExecutionPage"),
});
export const templatesRoute = createRoute({ getParentRoute: () => root, path: "/templates", validateSearch: pick("template"), component: lazyRouteComponent(() => import("../routes/templates"), "TemplatesPage") });
export const triggersRoute = createRoute({ getParentRoute: () => root, path: "/triggers", validateSearch: pick("tab"), component: lazyRouteComponent(() => import("../routes/triggers"), "TriggersPage") });

const pages = [homeRoute, workflowsRoute, designerRoute, executionsRoute, executionRoute, triggersRoute, templatesRoute] as const;
const routeTree = root.addChildren(pages);
// Every component in every state: for those who change them, in development alone.
if (import.meta.env.DEV) root.addChildren([...pages, createRoute({ getParentRoute: () => root, path: "/__gallery", component: lazyRouteComponent(() => import("../routes/gallery"), "GalleryPage") })]);

export const router = createRouter({
  routeTree,
  defaultPreload: "intent",
  defaultErrorComponent: ({ error }) => <PageError error={error instanceof Error ? error : new Error(String(error))} />,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
