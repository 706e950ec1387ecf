#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The language of the server and its sandbox process: length-prefixed frames over one socket pair,
/// little-endian, read with bounds checks on both sides because each side may be hostile to the other. A
/// frame is `u32 length, u8 kind, u32 id, body`, the length counting what follows it. Knows neither Boost nor
/// SpiderMonkey.
namespace fp::sandbox::wire {

inline constexpr std::size_t kHeaderBytes = 9;
inline constexpr std::size_t kMaxRequestBytes = 16u << 20;
inline constexpr std::size_t kMaxAnswerBytes = 24u << 20;
inline constexpr std::size_t kMaxMessageBytes = 4096;

enum class Kind : std::uint8_t { kHello = 1, kEvaluate, kCheck, kEvaluated, kChecked, kRun, kLine, kRan };

/// What became of one evaluation. `kNoValue` is a result of undefined; `kMissing` an exception because a name
/// or field does not exist.
enum class Verdict : std::uint8_t {
  kValue,
  kNoValue,
  kMissing,
  kFailed,
  kSyntax,
  kTimeout,
  kMemory,
  kStack,
  kTooLarge,
  kNotJson,
  kForbidden,
};
inline constexpr auto kLastVerdict = Verdict::kForbidden;

struct Hello {
  std::string layers;  // names of the layers that hold, joined by commas
};

/// Borrows all its text. `scope` is one JSON object whose members are `roots`; `items` are JSON texts.
struct Evaluate {
  std::uint32_t time_ms = 0;
  std::uint64_t memory_bytes = 0;
  std::uint64_t result_bytes = 0;
  std::int64_t now_ms = 0;
  std::uint64_t seed = 0;
  bool has_items = false;
  std::string_view scope;
  std::vector<std::string_view> roots;
  std::vector<std::string_view> expressions;
  std::vector<std::string_view> items;
};

struct Check {
  std::vector<std::string_view> expressions;
};

/// `text` is JSON for kValue and a sentence otherwise; line and column (from 1, 0 = unknown) are the
/// expression's.
struct Outcome {
  Verdict verdict = Verdict::kValue;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string text;
};

/// `retiring`: the process is no longer fit for work; it answers nothing more and should be replaced.
struct Answer {
  bool retiring = false;
  std::vector<Outcome> outcomes;
};

/// Code of a step: a function body over `input`, which is JSON text.
struct Run {
  std::uint32_t time_ms = 0;
  std::uint64_t memory_bytes = 0;
  std::uint64_t result_bytes = 0;
  std::string_view code;
  std::string_view input;
};

/// What the code wrote to its console while it runs. `level` is debug, info, warning or error.
struct Line {
  std::string_view level;
  std::string_view text;
};

/// What became of a Run. `name` and `stack` are those of an exception; the stack has a line
/// `function:line:column` for each frame of the step's code, innermost first.
struct Ran {
  bool retiring = false;
  Outcome outcome;
  std::string name;
  std::string stack;
};

struct Frame {
  Kind kind{};
  std::uint32_t id = 0;
  std::string_view body;
};

enum class Scan : std::uint8_t { kFrame, kIncomplete, kBroken };

/// Takes the first frame off `bytes`; `frame` borrows from it. kBroken: no such kind, or longer than
/// `max_bytes`.
Scan take_frame(std::string_view& bytes, std::size_t max_bytes, Frame& frame);

std::string to_frame(const Hello& hello);
std::string to_frame(std::uint32_t id, const Evaluate& request);
std::string to_frame(std::uint32_t id, const Check& request);
std::string to_frame(std::uint32_t id, const Run& run);
std::string to_frame(std::uint32_t id, const Line& line);
std::string to_frame(std::uint32_t id, const Ran& ran);
/// `kind` is kEvaluated or kChecked.
std::string to_frame(Kind kind, std::uint32_t id, const Answer& answer);

/// False when the body is not exactly what it should be.
[[nodiscard]] bool from_body(std::string_view body, Hello& hello);
[[nodiscard]] bool from_body(std::string_view body, Evaluate& request);
[[nodiscard]] bool from_body(std::string_view body, Check& request);
[[nodiscard]] bool from_body(std::string_view body, Answer& answer);
[[nodiscard]] bool from_body(std::string_view body, Run& run);
[[nodiscard]] bool from_body(std::string_view body, Line& line);
[[nodiscard]] bool from_body(std::string_view body, Ran& ran);

}  // namespace fp::sandbox::wire
