/** An execution after messages of its feed. They are applied together: a list of 40,000 tasks is copied once a frame, not once a message. */
import type { Execution, Task } from "../../api/client";
import type { LiveMessage } from "../../api/live";

/** Tasks that no message names keep their objects. Null until a snapshot has come. */
export function applyMessages(execution: Execution | null, messages: readonly LiveMessage[]): Execution | null {
  let next = execution;
  let tasks: Task[] | null = null; // a copy of the list, once one of them changes
  let places: Map<string, number> | null = null;
  for (const message of messages) {
    if (message.type === "snapshot") {
      const { type: _type, seq: _seq, ...rest } = message;
      next = rest as unknown as Execution;
      tasks = places = null;
    } else if (next && message.type === "task_update") {
      const { type: _type, seq: _seq, task_id, ...change } = message;
      tasks ??= [...next.tasks];
      places ??= new Map(tasks.map((task, index) => [task.id, index]));
      const at = places.get(task_id as string);
      if (at !== undefined) tasks[at] = { ...tasks[at]!, ...change } as Task;
      else {
        places.set(task_id as string, tasks.length);
        tasks.push({ id: task_id, workflow_execution: next.id, step_type: "", worker: null, ...change } as unknown as Task);
      }
    } else if (next && message.type === "execution_update") {
      const { type: _type, seq: _seq, ...change } = message;
      next = { ...next, ...(change as Partial<Execution>) };
    }
  }
  return next && tasks ? { ...next, tasks } : next;
}
