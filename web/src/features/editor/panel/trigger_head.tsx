import { TypeTile } from "../../../ui/icons";

/** The head of a trigger's panel: what it is, and its id. */
export function TriggerHead({ type, title, id }: { type: string; title: string; id: string }) {
  return (
    <header className="dock-head">
      <TypeTile type={type} />
      <div className="clip">
        <h2>{title}</h2>
        <p className="sub">{id}</p>
      </div>
    </header>
  );
}
