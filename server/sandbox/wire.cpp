#include "sandbox/wire.hpp"

#include <bit>
#include <cstring>
#include <type_traits>

namespace fp::sandbox::wire {

static_assert(std::endian::native == std::endian::little, "frames are written as they stand in memory");

namespace {

class Writer {
 public:
  Writer(Kind kind, std::uint32_t id) {
    put(std::uint32_t{0});
    put(kind);
    put(id);
  }
  template <class T>
  void put(T value) {
    static_assert(std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void put_text(std::string_view text) {
    put(static_cast<std::uint32_t>(text.size()));
    bytes_.append(text);
  }
  void put_list(const std::vector<std::string_view>& list) {
    put(static_cast<std::uint32_t>(list.size()));
    for (const auto text : list) put_text(text);
  }
  std::string finish() {
    const auto length = static_cast<std::uint32_t>(bytes_.size() - sizeof(std::uint32_t));
    std::memcpy(bytes_.data(), &length, sizeof length);
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
};

/// Once a read fails, everything after it fails too.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <class T>
  void get(T& value) {
    if (rest_.size() < sizeof value) return fail();
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
  }
  void get_flag(bool& flag) {
    std::uint8_t raw = 0;
    get(raw);
    if (raw > 1) return fail();
    flag = raw == 1;
  }
  void get_text(std::string_view& text) {
    std::uint32_t size = 0;
    get(size);
    if (!is_good_ || rest_.size() < size) return fail();
    text = rest_.substr(0, size);
    rest_.remove_prefix(size);
  }
  void get_list(std::vector<std::string_view>& list) {
    list.resize(get_count(sizeof(std::uint32_t)));
    for (auto& text : list) get_text(text);
  }
  /// A count that the bytes left can hold, so that nobody can make us reserve what they did not send.
  std::size_t get_count(std::size_t least_bytes_each) {
    std::uint32_t count = 0;
    get(count);
    if (count <= rest_.size() / least_bytes_each) return count;
    fail();
    return 0;
  }
  void fail() {
    is_good_ = false;
    rest_ = {};
  }
  bool is_done() const { return is_good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool is_good_ = true;
};

constexpr std::size_t kLeastOutcomeBytes = 13;

void put(Writer& writer, const Outcome& outcome) {
  writer.put(outcome.verdict);
  writer.put(outcome.line);
  writer.put(outcome.column);
  writer.put_text(outcome.text);
}

void get(Reader& reader, Outcome& outcome) {
  std::uint8_t verdict = 0;
  std::string_view text;
  reader.get(verdict);
  if (verdict > static_cast<std::uint8_t>(kLastVerdict)) reader.fail();
  reader.get(outcome.line);
  reader.get(outcome.column);
  reader.get_text(text);
  outcome.verdict = static_cast<Verdict>(verdict);
  outcome.text = text;
}

}  // namespace

Scan take_frame(std::string_view& bytes, std::size_t max_bytes, Frame& frame) {
  std::uint32_t length = 0;
  if (bytes.size() < sizeof length) return Scan::kIncomplete;
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length < kHeaderBytes - sizeof length || length > max_bytes) return Scan::kBroken;
  if (bytes.size() < kHeaderBytes) return Scan::kIncomplete;
  const auto kind = static_cast<std::uint8_t>(bytes[4]);
  if (kind < static_cast<std::uint8_t>(Kind::kHello) || kind > static_cast<std::uint8_t>(Kind::kRan)) {
    return Scan::kBroken;
  }
  if (bytes.size() - sizeof length < length) return Scan::kIncomplete;
  frame.kind = static_cast<Kind>(kind);
  std::memcpy(&frame.id, bytes.data() + 5, sizeof frame.id);
  frame.body = bytes.substr(kHeaderBytes, length - (kHeaderBytes - sizeof length));
  bytes.remove_prefix(sizeof length + length);
  return Scan::kFrame;
}

std::string to_frame(const Hello& hello) {
  Writer writer(Kind::kHello, 0);
  writer.put_text(hello.layers);
  return writer.finish();
}

std::string to_frame(std::uint32_t id, const Evaluate& request) {
  Writer writer(Kind::kEvaluate, id);
  writer.put(request.time_ms);
  writer.put(request.memory_bytes);
  writer.put(request.result_bytes);
  writer.put(request.now_ms);
  writer.put(request.seed);
  writer.put(static_cast<std::uint8_t>(request.has_items));
  writer.put_text(request.scope);
  writer.put_list(request.roots);
  writer.put_list(request.expressions);
  writer.put_list(request.items);
  return writer.finish();
}

std::string to_frame(std::uint32_t id, const Check& request) {
  Writer writer(Kind::kCheck, id);
  writer.put_list(request.expressions);
  return writer.finish();
}

std::string to_frame(Kind kind, std::uint32_t id, const Answer& answer) {
  Writer writer(kind, id);
  writer.put(static_cast<std::uint8_t>(answer.retiring));
  writer.put(static_cast<std::uint32_t>(answer.outcomes.size()));
  for (const auto& outcome : answer.outcomes) put(writer, outcome);
  return writer.finish();
}

std::string to_frame(std::uint32_t id, const Run& run) {
  Writer writer(Kind::kRun, id);
  writer.put(run.time_ms);
  writer.put(run.memory_bytes);
  writer.put(run.result_bytes);
  writer.put_text(run.code);
  writer.put_text(run.input);
  return writer.finish();
}

std::string to_frame(std::uint32_t id, const Line& line) {
  Writer writer(Kind::kLine, id);
  writer.put_text(line.level);
  writer.put_text(line.text);
  return writer.finish();
}

std::string to_frame(std::uint32_t id, const Ran& ran) {
  Writer writer(Kind::kRan, id);
  writer.put(static_cast<std::uint8_t>(ran.retiring));
  put(writer, ran.outcome);
  writer.put_text(ran.name);
  writer.put_text(ran.stack);
  return writer.finish();
}

bool from_body(std::string_view body, Hello& hello) {
  Reader reader(body);
  std::string_view layers;
  reader.get_text(layers);
  hello.layers = layers;
  return reader.is_done();
}

bool from_body(std::string_view body, Evaluate& request) {
  Reader reader(body);
  reader.get(request.time_ms);
  reader.get(request.memory_bytes);
  reader.get(request.result_bytes);
  reader.get(request.now_ms);
  reader.get(request.seed);
  reader.get_flag(request.has_items);
  reader.get_text(request.scope);
  reader.get_list(request.roots);
  reader.get_list(request.expressions);
  reader.get_list(request.items);
  return reader.is_done();
}

bool from_body(std::string_view body, Check& request) {
  Reader reader(body);
  reader.get_list(request.expressions);
  return reader.is_done();
}

bool from_body(std::string_view body, Answer& answer) {
  Reader reader(body);
  reader.get_flag(answer.retiring);
  answer.outcomes.resize(reader.get_count(kLeastOutcomeBytes));
  for (auto& outcome : answer.outcomes) get(reader, outcome);
  return reader.is_done();
}

bool from_body(std::string_view body, Run& run) {
  Reader reader(body);
  reader.get(run.time_ms);
  reader.get(run.memory_bytes);
  reader.get(run.result_bytes);
  reader.get_text(run.code);
  reader.get_text(run.input);
  return reader.is_done();
}

bool from_body(std::string_view body, Line& line) {
  Reader reader(body);
  reader.get_text(line.level);
  reader.get_text(line.text);
  return reader.is_done();
}

bool from_body(std::string_view body, Ran& ran) {
  Reader reader(body);
  std::string_view name;
  std::string_view stack;
  reader.get_flag(ran.retiring);
  get(reader, ran.outcome);
  reader.get_text(name);
  reader.get_text(stack);
  ran.name = name;
  ran.stack = stack;
  return reader.is_done();
}

}  // namespace fp::sandbox::wire
