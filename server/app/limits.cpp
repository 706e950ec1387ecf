#include "app/limits.hpp"

#include "api/end_waits.hpp"
#include "api/live/hub.hpp"
#include "engine/json_fields.hpp"
#include "model/workflow.hpp"

namespace fp::app {

std::vector<api::LimitRow> list_limits(const net::Limits& net, const runtime::RuntimeOptions& runtime) {
  const model::ReadLimits document;
  const ports::ExpressionLimits expression;
  const auto seconds = [](Milliseconds span) { return static_cast<double>(span.count()) / 1000; };
  const auto number = [](std::size_t value) { return static_cast<double>(value); };
  return {
      {"http_header_bytes", number(net.header_bytes), "bytes", "Header of a request; 431 beyond"},
      {"http_headers", number(net.headers), "headers", "Header fields of a request; 431 beyond"},
      {"http_uri_bytes", number(net.uri_bytes), "bytes", "Path and query of a request; 414 beyond"},
      {"http_body_bytes", number(net.body_bytes), "bytes", "Body of a request; 413 beyond"},
      {"http_connections", number(net.connections), "connections", "Open at once; more wait"},
      {"http_pipelined_requests", number(net.pipelined_requests), "requests",
       "Of one connection under way at once; more wait"},
      {"http_header_seconds", seconds(net.header_time), "seconds", "For a whole header; 408 beyond"},
      {"http_body_seconds", seconds(net.body_time), "seconds", "For a whole body; 408 beyond"},
      {"http_write_seconds", seconds(net.write_time), "seconds",
       "For a client to take a reply; closed beyond"},
      {"http_idle_seconds", seconds(net.idle_time), "seconds", "A silent connection is closed"},
      {"websocket_message_bytes", number(net.websocket_message_bytes), "bytes",
       "Message of a client; closed with 1009 beyond"},
      {"websocket_queue_bytes", number(net.websocket_queue_bytes), "bytes",
       "Queued for one client; resync beyond"},
      {"websocket_messages_per_second", number(net.websocket_messages_per_second), "messages",
       "Of one client; closed with 1008 beyond"},
      {"websocket_clients", number(api::Hub::kMostSubscribers), "clients",
       "Live connections; closed with 1013 beyond"},
      {"websocket_history_frames", number(api::Hub::kMostHistory), "frames",
       "Missed by a client that resumes; a snapshot beyond"},
      {"waiting_requests", number(api::EndWaits::kMostWaits), "requests",
       "That wait for a result; 503 beyond"},
      {"workflow_bytes", number(document.max_bytes), "bytes", "A workflow document"},
      {"workflow_steps", number(document.max_steps), "steps", "Steps of a workflow"},
      {"workflow_depth", number(document.max_depth), "levels", "Nesting of a document"},
      {"child_depth", number(runtime.most_depth), "executions", "Workflows that start each other"},
      {"executions_in_memory", number(runtime.most_active), "executions",
       "Under way at once; 429 beyond. Those that only wait do not count"},
      {"pending_commits", number(runtime.most_pending_writes), "decisions", "Not yet on disk; 429 beyond"},
      {"lease_seconds", seconds(runtime.lease_ttl), "seconds",
       "A worker silent for so long has lost its attempts"},
      {"inline_value_bytes", number(engine::FieldWriter::kSpillBytes), "bytes",
       "Kept in the journal; larger values go to the blob store"},
      {"expression_seconds", seconds(expression.time), "seconds", "One evaluation"},
      {"expression_memory_bytes", number(expression.memory_bytes), "bytes", "One evaluation"},
      {"expression_result_bytes", number(expression.result_bytes), "bytes", "Result of an expression"},
      {"idempotency_days", 7, "days", "An Idempotency-Key is kept"},
  };
}

}  // namespace fp::app
