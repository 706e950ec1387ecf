#pragma once

#include "base/error_code.hpp"
#include "engine/codec.hpp"

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

namespace fp::engine {

/// Appends the members of one JSON object to a text; missing parts are left out, so that rows stay small.
class FieldWriter {
 public:
  FieldWriter(std::string& out, const model::Workflow& workflow, const BlobWriter& spill)
      : out_(out), workflow_(workflow), spill_(spill) {
    out_ += '{';
  }
  void close() { out_ += '}'; }

  void key(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    out_.append("\"").append(name).append("\":");
  }
  void text(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    key(name);
    append_text(out_, Json(value));
  }
  void plain(std::string_view name, std::string_view value) {  // known to need no escapes
    key(name);
    out_.append("\"").append(value).append("\"");
  }
  template <class Number>
  void number(std::string_view name, Number value) {
    key(name);
    char digits[24];
    out_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
  template <class Number>
  void number_if(std::string_view name, Number value) {
    if (value != 0) number(name, value);
  }
  void flag(std::string_view name, bool value) {
    key(name);
    out_ += value ? "true" : "false";
  }
  void flag_if(std::string_view name, bool value) {
    if (value) flag(name, value);
  }
  void time(std::string_view name, TimePoint value) { number(name, value.time_since_epoch().count()); }
  void time(std::string_view name, const std::optional<TimePoint>& value) {
    if (value) time(name, *value);
  }
  void value(std::string_view name, const Value& value) {
    if (!value) return;
    const bool large =
        spill_ && (value->is_structured() || value->is_string()) && json_weight(*value) > kSpillBytes;
    const auto start = out_.size();
    const bool was_first = first_;
    key(name);
    const auto body = out_.size();
    append_text(out_, *value);
    if (!large) return;
    const auto reference = spill_(out_.substr(body));
    if (reference.is_null()) return;
    out_.resize(start);
    first_ = was_first;
    key(std::string(name) + "@blob");
    append_text(out_, reference);
  }
  void error(std::string_view name, const model::ErrorPtr& error) {
    if (!error) return;
    key(name);
    append_text(out_, to_json(*error));
  }
  void step(std::string_view name, model::StepIndex index) {
    if (index != model::kNoStep) plain(name, workflow_.steps[index].id);
  }
  void task(model::TaskRef ref) {
    step("step", ref.step);
    if (ref.item != model::kNoItem) number("item", ref.item);
  }

  static constexpr std::size_t kSpillBytes = 64 << 10;

 private:
  std::string& out_;
  const model::Workflow& workflow_;
  const BlobWriter& spill_;
  bool first_ = true;
};

/// Reads what FieldWriter wrote. Anything else is storage.corrupt.
class FieldReader {
 public:
  FieldReader(const Json& json, const model::Workflow& workflow, const BlobReader& load)
      : json_(json), workflow_(workflow), load_(load) {
    if (!json.is_object()) corrupt("an object");
  }
  [[noreturn]] static void corrupt(std::string_view what) {
    throw Unavailable(Error(codes::storage_corrupt, "a journal record lacks " + std::string(what)));
  }

  const Json* find(std::string_view name) const { return json_find(json_, name); }
  std::string text(std::string_view name) const { return json_string(json_, name); }
  std::uint64_t number(std::string_view name) const {
    const auto* value = find(name);
    if (value == nullptr) return 0;
    if (value->is_uint64()) return value->get_uint64();
    if (!value->is_int64()) corrupt(name);
    return static_cast<std::uint64_t>(value->get_int64());
  }
  std::uint32_t small(std::string_view name, std::uint32_t fallback = 0) const {
    return find(name) == nullptr ? fallback : static_cast<std::uint32_t>(number(name));
  }
  bool flag(std::string_view name) const {
    const auto* value = find(name);
    return value != nullptr && value->is_bool() && value->get_bool();
  }
  std::optional<TimePoint> find_time(std::string_view name) const {
    const auto value = json_int(json_, name);
    if (!value) return std::nullopt;
    return TimePoint(Milliseconds(*value));
  }
  TimePoint time(std::string_view name) const { return find_time(name).value_or(TimePoint{}); }
  Value value(std::string_view name) const {
    if (const auto* found = find(name)) return make_value(*found);
    const auto* reference = find(std::string(name) + "@blob");
    if (reference == nullptr) return nullptr;
    if (!load_) corrupt("its large value");
    return make_value(load_(*reference));
  }
  model::ErrorPtr error(std::string_view name) const {
    const auto* found = find(name);
    return found == nullptr ? nullptr : model::make_error(error_from_json(*found));
  }
  model::StepIndex step(std::string_view name) const {
    const auto* found = find(name);
    if (found == nullptr) return model::kNoStep;
    const auto* known =
        found->is_string() ? workflow_.find_step(std::string_view(found->get_string())) : nullptr;
    if (known == nullptr) corrupt("a step of this workflow");
    return known->index;
  }
  model::TaskRef task() const { return {step("step"), small("item", model::kNoItem)}; }
  template <class Enum>
  Enum choice(std::string_view name, std::optional<Enum> (*parse)(std::string_view)) const {
    const auto parsed = parse(text(name));
    if (!parsed) corrupt(name);
    return *parsed;
  }
  template <class Id>
  std::optional<Id> find_id(std::string_view name) const {
    const auto* found = find(name);
    if (found == nullptr || !found->is_string()) return std::nullopt;
    auto parsed = parse_uuid<Id>(std::string_view(found->get_string()));
    if (!parsed) corrupt(name);
    return *parsed;
  }
  const JsonArray& list(std::string_view name) const {
    static const JsonArray kEmpty;
    const auto* found = find(name);
    if (found == nullptr) return kEmpty;
    if (!found->is_array()) corrupt(name);
    return found->get_array();
  }
  FieldReader inner(const Json& json) const { return FieldReader(json, workflow_, load_); }

 private:
  const Json& json_;
  const model::Workflow& workflow_;
  const BlobReader& load_;
};

void write_parent(FieldWriter& fields, const std::optional<model::ParentLink>& parent);
std::optional<model::ParentLink> read_parent(const FieldReader& fields);

}  // namespace fp::engine
