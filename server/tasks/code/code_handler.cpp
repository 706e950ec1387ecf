#include "tasks/code/code_handler.hpp"

namespace fp::tasks {

void CodeHandler::start(ports::AttemptRequest request, std::shared_ptr<ports::AttemptControl> control,
                        Done done) {
  auto run = read_code_run(request, defaults_.time, defaults_.memory_mb);
  if (!run) return done(run.error());
  run->id = loop_.make_id();
  run->control = control;
  run->done = std::move(done);
  control->set_cancel_hook([this, id = run->id] { loop_.cancel(id); });
  loop_.submit(std::move(*run));
}

Json make_code_schema(const char* language, const char* example, const CodeHandler::Defaults& defaults,
                      std::uint64_t most_memory_mb) {
  constexpr std::int64_t kMostSeconds = 3600;
  constexpr std::int64_t kLeastMemory = 16;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(defaults.time).count();
  return JsonObject{
      {"type", "object"},
      {"additionalProperties", false},
      {"required", JsonArray{"code"}},
      {"properties",
       JsonObject{
           {"code", JsonObject{{"type", "string"},
                               {"format", language},
                               {"title", "Code"},
                               {"minLength", 1},
                               {"maxLength", kMostCodeBytes},
                               {"examples", JsonArray{example}},
                               {"description",
                                "Taken as it stands: {{ }} means nothing here. Data comes in as `input`."}}},
           {"input",
            JsonObject{
                {"title", "Input"},
                {"description",
                 "Any value; the code sees it as `input`. Often {{ input }} or {{ steps.ID.output }}"}}},
           {"timeout_seconds", JsonObject{{"type", "integer"},
                                          {"title", "Time limit in seconds"},
                                          {"minimum", 1},
                                          {"maximum", kMostSeconds},
                                          {"default", seconds}}},
           {"memory_mb", JsonObject{{"type", "integer"},
                                    {"title", "Memory limit in MB"},
                                    {"minimum", kLeastMemory},
                                    {"maximum", most_memory_mb},
                                    {"default", defaults.memory_mb}}}}}};
}

}  // namespace fp::tasks
