#include "sandbox/child/code_engine.hpp"
#include "sandbox/child/confinement.hpp"
#include "sandbox/child/engine.hpp"
#include "sandbox/child/exit_code.hpp"

#include <cstdlib>
#include <malloc.h>
#include <optional>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace fp::sandbox {

namespace {

bool write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(Confinement::kChannel, bytes.data(), bytes.size());
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

struct Answered {
  std::string frame;
  bool is_retiring = false;
};

/// nullopt when the frame is no request for this engine.
std::optional<Answered> answer_frame(CodeEngine& engine, const wire::Frame& frame) {
  wire::Run run;
  if (frame.kind != wire::Kind::kRun || !wire::from_body(frame.body, run)) return std::nullopt;
  const wire::Ran ran = engine.run(
      run, [id = frame.id](const wire::Line& line) { return write_all(wire::to_frame(id, line)); });
  return Answered{wire::to_frame(frame.id, ran), ran.retiring};
}

std::optional<Answered> answer_frame(Engine& engine, const wire::Frame& frame) {
  wire::Evaluate evaluate;
  wire::Check check;
  if (frame.kind == wire::Kind::kEvaluate && wire::from_body(frame.body, evaluate)) {
    const auto answer = engine.evaluate(evaluate);
    return Answered{wire::to_frame(wire::Kind::kEvaluated, frame.id, answer), answer.retiring};
  }
  if (frame.kind == wire::Kind::kCheck && wire::from_body(frame.body, check)) {
    const auto answer = engine.check(check);
    return Answered{wire::to_frame(wire::Kind::kChecked, frame.id, answer), answer.retiring};
  }
  return std::nullopt;
}

/// Answers frames in order, each written before the next is begun: the parent tells by that which one was at
/// work when the process died.
template <class AnyEngine>
int serve(AnyEngine& engine) {
  constexpr std::size_t kReadBytes = 256u << 10;
  std::vector<char> buffer(kReadBytes);
  std::size_t filled = 0;
  for (;;) {
    if (buffer.size() - filled < kReadBytes / 2) buffer.resize(buffer.size() * 2);
    const ssize_t got = read(Confinement::kChannel, buffer.data() + filled, buffer.size() - filled);
    if (got <= 0) return kExitDone;
    filled += static_cast<std::size_t>(got);
    std::string_view rest(buffer.data(), filled);
    wire::Frame frame;
    wire::Scan scan;
    while ((scan = wire::take_frame(rest, wire::kMaxRequestBytes, frame)) == wire::Scan::kFrame) {
      const auto answered = answer_frame(engine, frame);
      if (!answered) return kExitProtocol;
      if (!write_all(answered->frame) || answered->is_retiring) return kExitDone;
      engine.tidy();
    }
    if (scan == wire::Scan::kBroken) return kExitProtocol;
    filled = rest.size();
    buffer.erase(buffer.begin(),
                 buffer.end() - static_cast<std::ptrdiff_t>(buffer.size() - (rest.data() - buffer.data())));
    buffer.resize(std::max(kReadBytes, filled * 2));
  }
}

template <class AnyEngine>
int run() {
  // One arena and a fixed threshold: address space is limited, and large blocks must go back when freed.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 128 << 10);
  setenv("TZ", "UTC0", 1);
  Confinement confinement;
  if (!confinement.begin()) return kExitNotConfined;
  const auto engine = AnyEngine::start();
  if (!engine) return kExitNoEngine;
  if (!confinement.finish()) return kExitNotConfined;
  if (!write_all(wire::to_frame(wire::Hello{confinement.layers()}))) return kExitDone;
  return serve(*engine);
}

}  // namespace

}  // namespace fp::sandbox

// Ends without running destructors: the engine's helper thread never ends, and there is nothing to keep.
int main(int argc, char** argv) {
  const bool is_for_code = argc > 1 && std::string_view(argv[1]) == "code";
  _exit(is_for_code ? fp::sandbox::run<fp::sandbox::CodeEngine>() : fp::sandbox::run<fp::sandbox::Engine>());
}
