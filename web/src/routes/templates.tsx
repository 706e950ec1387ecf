/** Bundled workflows, each shown on the real canvas; taken as a draft with one press. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";

import { api, idempotent, unwrap } from "../api/client";
import { keys, queryClient, templateQuery, templatesQuery } from "../api/queries";
import { templatesRoute } from "../app/router";
import { StaticCanvas } from "../features/canvas/static_canvas";
import { toDocument } from "../graph/document";
import { useTitle } from "../lib/hooks";
import { t } from "../text";
import { Button, Dialog } from "../ui/controls";
import { ErrorState, LoadingRows } from "../ui/states";

export function TemplatesPage() {
  const { data, error, isPending, refetch } = useQuery(templatesQuery);
  const { template } = templatesRoute.useSearch();
  const navigate = useNavigate({ from: "/templates" });
  const go = useNavigate();
  const use = useMutation({
    mutationFn: async (id: string) => {
      const { document } = await queryClient.fetchQuery(templateQuery(id));
      return unwrap(api.POST("/api/workflows/", { params: { header: idempotent() }, body: document }));
    },
    onSuccess: (workflow) => {
      void queryClient.invalidateQueries({ queryKey: keys.workflows });
      void go({ to: "/workflows/$id", params: { id: workflow.id } });
    },
  });
  useTitle(t.templates.title);
  return (
    <div className="screen">
      <header className="topbar">
        <h1>{t.templates.title}</h1>
        <span className="t3 clip">{t.templates.intro}</span>
      </header>
      <main className="page" id="content">
        {use.error && <ErrorState error={use.error} />}
        {error ? (
          <ErrorState error={error} retry={() => void refetch()} />
        ) : isPending ? (
          <LoadingRows height={200} rows={3} />
        ) : (
          <ul className="template-grid">
            {data.map((entry) => (
              <li key={entry.id} className="card template">
                <Preview id={entry.id} name={entry.name} small />
                <div className="template-text">
                  <h2>{entry.name}</h2>
                  <p className="t2">{entry.description}</p>
                </div>
                <footer className="row">
                  <span className="t3 grow">{t.workflows.steps_(entry.steps)}</span>
                  <Button size="sm" onClick={() => void navigate({ search: { template: entry.id } })}>
                    {t.templates.preview}
                  </Button>
                  <Button size="sm" kind="primary" disabled={use.isPending} onClick={() => use.mutate(entry.id)}>
                    {t.templates.use}
                  </Button>
                </footer>
              </li>
            ))}
          </ul>
        )}
      </main>
      {template && (
        <Dialog
          title={data?.find((entry) => entry.id === template)?.name ?? template}
          open
          wide
          onClose={() => void navigate({ search: {} })}
          footer={
            <Button kind="primary" size="lg" disabled={use.isPending} onClick={() => use.mutate(template)}>
              {t.templates.use}
            </Button>
          }
        >
          <div className="diff-graph template-large">
            <Preview id={template} name={template} />
          </div>
        </Dialog>
      )}
    </div>
  );
}

function Preview({ id, name, small = false }: { id: string; name: string; small?: boolean }) {
  const { data } = useQuery(templateQuery(id));
  return <div className="template-canvas">{data && <StaticCanvas document={toDocument(data.document)} label={name} preview={small} />}</div>;
}
