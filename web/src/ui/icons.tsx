/** Icons of step types and their category tint (visual language section 5). */
import {
  ArrowDownUp, ArrowRightLeft, Braces, CalendarClock, CircleDot, CopyMinus, Database, Ear, FileInput, FilePen, FileText, FileX, Filter, Folder, FolderInput, FolderSync, GitMerge, Globe, Hourglass, ListEnd,
  ListTree, Mail, Megaphone, MessageSquare, OctagonX, PenLine, Play, Radio, Reply, Rss, Scissors, Sigma, Split, SquareFunction, Terminal, Ticket, UserCheck, Webhook, Workflow, Zap, type LucideIcon,
} from "lucide-react";

export type Category = "trigger" | "network" | "message" | "logic" | "data" | "wait" | "code" | "storage" | "flow";

const types: Record<string, [LucideIcon, Category]> = {
  manual: [Play, "trigger"], webhook: [Webhook, "trigger"], schedule: [CalendarClock, "trigger"], event: [Zap, "trigger"], http_poll: [Rss, "trigger"], file_watch: [FolderSync, "trigger"],
  http_request: [Globe, "network"], respond: [Reply, "network"],
  send_email: [Mail, "message"], chat: [MessageSquare, "message"],
  conditional: [Split, "logic"], switch: [ListTree, "logic"],
  set: [PenLine, "data"], filter: [Filter, "data"], map: [ArrowRightLeft, "data"], sort: [ArrowDownUp, "data"], limit: [ListEnd, "data"], dedupe: [CopyMinus, "data"], aggregate: [Sigma, "data"],
  split: [Scissors, "data"], merge: [GitMerge, "data"],
  delay: [Hourglass, "wait"], wait_signal: [Radio, "wait"], wait_event: [Ear, "wait"], approval: [UserCheck, "wait"],
  javascript: [Braces, "code"], python: [SquareFunction, "code"],
  sql_query: [Database, "storage"], file_read: [FileText, "storage"], file_write: [FilePen, "storage"], file_list: [Folder, "storage"], file_move: [FolderInput, "storage"], file_delete: [FileX, "storage"],
  workflow: [Workflow, "flow"], publish: [Megaphone, "flow"], fail: [OctagonX, "flow"], log: [Terminal, "flow"], noop: [CircleDot, "flow"],
};

const named: Record<string, LucideIcon> = { ticket: Ticket, mail: Mail, globe: Globe, database: Database, file: FileInput, message: MessageSquare };

export function categoryOf(type: string): Category {
  return types[type]?.[1] ?? "code";
}

export function TypeIcon({ type, icon }: { type: string; icon?: string | undefined }) {
  const Icon = types[type]?.[0] ?? (icon ? named[icon] : undefined) ?? SquareFunction;
  return <Icon className="icon" aria-hidden="true" />;
}

export function TypeTile({ type, icon, small }: { type: string; icon?: string | undefined; small?: boolean }) {
  return (
    <span className={small ? "tile tile-sm" : "tile"} data-cat={categoryOf(type)}>
      <TypeIcon type={type} icon={icon} />
    </span>
  );
}
