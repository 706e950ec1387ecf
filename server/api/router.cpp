#include "api/router.hpp"

#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "base/secret.hpp"
#include "base/text.hpp"
#include "model/json_schema.hpp"
#include "model/suggest.hpp"
#include "model/workflow.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace fp::api {

namespace {

/// A body up to this size is parsed where the request is handled.
constexpr std::size_t kSmallBody = 64 * 1024;

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> out;
  std::size_t from = 0;
  while (from < path.size()) {
    const auto to = std::min(path.find('/', from), path.size());
    if (to > from) out.emplace_back(path.substr(from, to - from));
    from = to + 1;
  }
  return out;
}

bool is_capture(const std::string& segment) {
  return segment.starts_with('{');
}

/// The text of a parameter as the type its schema names; nullopt when it is none of that type.
std::optional<Json> convert(const std::string& text, const Json& schema) {
  const auto type = json_string(schema, "type");
  if (type == "boolean") {
    if (text == "true" || text == "1") return true;
    if (text == "false" || text == "0") return false;
    return std::nullopt;
  }
  if (type != "integer") return Json(text);
  std::uint64_t number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return Json(number);
}

std::string media_type(const net::Request& request) {
  const auto* header = net::find_field(request.headers, "Content-Type");
  if (header == nullptr) return "";
  auto type = header->substr(0, header->find(';'));
  while (!type.empty() && type.back() == ' ') type.pop_back();
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  return type;
}

/// The right to answer one request. Dropped without an answer (a loop that ended, a thrown storage failure)
/// it answers that the work could not be done, so that no client hangs.
class Answer {
 public:
  Answer(const Served& served, CallPtr call, net::Handler::Respond respond)
      : served_(served),
        call_(std::move(call)),
        respond_(std::move(respond)),
        began_(std::chrono::steady_clock::now()) {}
  ~Answer() {
    if (respond_)
      give(Error(codes::server_draining, "the server stopped while it worked on this; ask again"));
  }
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  void give(Result<net::Response> result) {
    const auto& request = call_->request;
    auto response = result ? std::move(*result) : problem_response(result.error(), request.path, request.id);
    served_(call_->spec, request, response.status, std::chrono::steady_clock::now() - began_);
    std::exchange(respond_, {})(std::move(response));
  }

 private:
  const Served& served_;
  CallPtr call_;
  net::Handler::Respond respond_;
  std::chrono::steady_clock::time_point began_;
};

Error not_found(const net::Request& request) {
  return Error(codes::not_found, fmt::format("there is nothing at {}", echo(request.path)));
}

}  // namespace

Router::Router(Pool& pool, Pool& slow_pool, std::string worker_token, Served served)
    : pool_(pool), slow_pool_(slow_pool), worker_token_(std::move(worker_token)), served_(std::move(served)) {
  const auto schemas = parse_trusted_json(operation_schemas());
  for (const auto& spec : list_operations()) {
    const auto& known = schemas.at(spec.id);
    Route route;
    route.spec = &spec;
    route.segments = split_path(spec.path);
    for (const auto& parameter : known.at("parameters").get_array()) {
      route.parameters.push_back({json_string(parameter, "name"), json_string(parameter, "in"),
                                  parameter.at("schema"), parameter.at("required").get_bool()});
    }
    if (const auto* types = json_find(known, "content_types")) {
      route.has_body = true;
      route.body_required = known.at("body_required").get_bool();
      route.is_document = known.at("is_document").get_bool();
      for (const auto& type : types->get_array()) route.content_types.emplace_back(type.get_string());
      if (const auto* body = json_find(known, "body")) route.body_schema = *body;
    }
    routes_.push_back(std::move(route));
  }
}

void Router::add(Operation operation, Handler handler) {
  for (auto& route : routes_) {
    if (route.spec->operation == operation) route.handler = std::move(handler);
  }
}

void Router::add_blocking(Operation operation, Blocking handler) {
  add(operation,
      [handler = std::move(handler)](const CallPtr& call, Reply& reply) { reply(handler(*call)); });
}

std::vector<std::string> Router::list_missing() const {
  std::vector<std::string> out;
  for (const auto& route : routes_) {
    if (!route.handler) out.emplace_back(route.spec->id);
  }
  return out;
}

/// Literal segments win over captures because the table lists them first.
const Router::Route* Router::match(const net::Request& request,
                                   std::map<std::string, Json, std::less<>>& captured,
                                   std::string& allow) const {
  const auto segments = split_path(request.path);
  const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  for (const auto& route : routes_) {
    if (route.segments.size() != segments.size()) continue;
    const bool fits = std::equal(segments.begin(), segments.end(), route.segments.begin(),
                                 [](const std::string& given, const std::string& wanted) {
                                   return is_capture(wanted) || given == wanted;
                                 });
    if (!fits) continue;
    if (method != route.spec->method) {
      allow += (allow.empty() ? "" : ", ") + std::string(route.spec->method);
      if (std::string_view(route.spec->method) == "GET") allow += ", HEAD";
      continue;
    }
    for (std::size_t i = 0; i < segments.size(); ++i) {
      const auto& wanted = route.segments[i];
      if (is_capture(wanted)) captured[wanted.substr(1, wanted.size() - 2)] = segments[i];
    }
    return &route;
  }
  return nullptr;
}

Subject Router::identify(const net::Request& request) const {
  constexpr std::string_view kScheme = "Bearer ";
  Subject subject{"local", request.from_loopback, false};
  const auto* given = net::find_field(request.headers, "Authorization");
  subject.is_worker = given != nullptr && !worker_token_.empty() && given->starts_with(kScheme) &&
                      is_same_secret(std::string_view(*given).substr(kScheme.size()), worker_token_);
  return subject;
}

/// What a page of another origin makes a browser send must change nothing (OWASP ASVS 5.0, 3.5.1).
Result<void> Router::check_origin(const net::Request& request) {
  if (request.method == "GET" || request.method == "HEAD") return {};
  const auto* site = net::find_field(request.headers, "Sec-Fetch-Site");
  const auto* origin = net::find_field(request.headers, "Origin");
  const auto* host = net::find_field(request.headers, "Host");
  const bool foreign_site = site != nullptr && *site != "same-origin" && *site != "none";
  const bool foreign_origin =
      origin != nullptr &&
      (host == nullptr || (*origin != "http://" + *host && *origin != "https://" + *host));
  if (foreign_site || foreign_origin)
    return Error(codes::origin_forbidden, "a page of another origin may not change anything here");
  return {};
}

Result<void> Router::read_parameter(const Parameter& parameter, const std::string* text, Call& call,
                                    std::vector<Issue>& issues) {
  if (text == nullptr) {
    if (const auto* fallback = json_find(parameter.schema, "default"))
      call.parameters[parameter.name] = *fallback;
    if (!parameter.required || parameter.in == "header") return {};
    issues.push_back({parameter.name, codes::query_invalid.id, fmt::format("{} is missing", parameter.name)});
    return {};
  }
  auto value = convert(*text, parameter.schema);
  std::vector<Issue> found;
  if (value)
    model::check_against_schema(*value, parameter.schema, "", found);
  else
    found.push_back(
        {"", "",
         fmt::format("must be {}", json_string(parameter.schema, "type") == "boolean" ? "true or false"
                                                                                      : "a whole number")});
  if (parameter.in == "path" && !found.empty()) return not_found(call.request);
  for (const auto& issue : found)
    issues.push_back({parameter.name,
                      parameter.in == "header" ? codes::header_invalid.id : codes::query_invalid.id,
                      fmt::format("{}: {}", parameter.name, issue.message)});
  if (value) call.parameters[parameter.name] = std::move(*value);
  return {};
}

Result<void> Router::read_parameters(const Route& route, Call& call) const {
  std::vector<Issue> issues;
  std::vector<std::string> names;
  for (const auto& parameter : route.parameters) {
    const std::string* text = nullptr;
    std::string captured;
    if (parameter.in == "path") {
      captured = call.text(parameter.name);
      text = &captured;
    } else if (parameter.in == "header") {
      text = net::find_field(call.request.headers, parameter.name);
    } else {
      names.push_back(parameter.name);
      text = net::find_field(call.request.query, parameter.name);
    }
    if (const auto read = read_parameter(parameter, text, call, issues); !read) return read;
  }
  for (std::size_t i = 0; i < call.request.query.size(); ++i) {
    const auto& key = call.request.query[i].first;
    if (std::find(names.begin(), names.end(), key) == names.end()) {
      issues.push_back(
          {std::string(echo(key)), codes::query_invalid.id,
           fmt::format("there is no parameter {}{}", model::quote(key), model::suggest(key, names))});
    } else if (std::any_of(call.request.query.begin(),
                           call.request.query.begin() + static_cast<std::ptrdiff_t>(i),
                           [&](const auto& earlier) { return earlier.first == key; })) {
      issues.push_back({key, codes::query_invalid.id, fmt::format("{} is given twice", key)});
    }
  }
  if (issues.empty()) return {};
  Error error(issues.front().code == codes::header_invalid.id ? codes::header_invalid : codes::query_invalid,
              issues.front().message);
  error.issues = std::move(issues);
  return error;
}

Result<void> Router::read_body(const Route& route, Call& call) {
  const auto& text = call.request.body;
  if (!route.has_body) {
    if (text.empty() || text == "{}") return {};
    return Error(codes::validation_failed, "this route takes no body");
  }
  if (text.empty() && !route.body_required) return {};
  const auto type = media_type(call.request);
  if (std::find(route.content_types.begin(), route.content_types.end(), type) == route.content_types.end()) {
    return Error(codes::content_type_unsupported,
                 fmt::format("the body must be {}, not {}", fmt::join(route.content_types, " or "),
                             type.empty() ? "untyped" : model::quote(type)));
  }
  if (route.is_document) {
    auto document =
        type == "application/json" ? parse_json(text, {.max_bytes = 16u << 20}) : model::parse_document(text);
    if (!document) return document.error();
    call.body = std::move(*document);
    return {};
  }
  auto body = parse_json(text, {.max_bytes = 16u << 20});
  if (!body) return body.error();
  std::vector<Issue> issues;
  model::check_against_schema(*body, route.body_schema, "", issues);
  call.body = std::move(*body);
  if (issues.empty()) return {};
  const bool only_unknown = std::all_of(issues.begin(), issues.end(),
                                        [](const Issue& i) { return i.code == codes::field_unknown.id; });
  Error error(only_unknown ? codes::field_unknown : codes::validation_failed,
              fmt::format("{} {}", issues.front().pointer, issues.front().message));
  error.issues = std::move(issues);
  return error;
}

void Router::carry_out(const Route& route, const CallPtr& call, Reply& reply) {
  try {
    if (const auto read = read_body(route, *call); !read) return reply(read.error());
    route.handler(call, reply);
  } catch (const Unavailable& unavailable) {
    if (reply) reply(unavailable.error());
  }
}

void Router::handle(net::Request request, net::Handler::Respond respond) {
  auto call = std::make_shared<Call>();
  std::string allow;
  const auto* route = match(request, call->parameters, allow);
  call->request = std::move(request);
  call->spec = route == nullptr ? nullptr : route->spec;
  call->subject = identify(call->request);
  Reply reply = [answer = std::make_unique<Answer>(served_, call, std::move(respond))](
                    Result<net::Response> result) { answer->give(std::move(result)); };
  if (route == nullptr) {
    if (allow.empty()) return reply(not_found(call->request));
    auto refused = problem_response(
        Error(codes::method_not_allowed, fmt::format("{} takes {}", echo(call->request.path), allow)),
        call->request.path, call->request.id);
    refused.headers.emplace_back("Allow", allow);
    return reply(std::move(refused));
  }
  if (const auto allowed = check_origin(call->request); !allowed) return reply(allowed.error());
  if (const auto allowed = decide_access(call->subject, route->spec->action, call->text("id")); !allowed)
    return reply(allowed.error());
  if (const auto read = read_parameters(*route, *call); !read) return reply(read.error());
  call->idempotency_key = call->text("Idempotency-Key");
  if (route->spec->is_inline && call->request.body.size() <= kSmallBody)
    return carry_out(*route, call, reply);
  auto shared = std::make_shared<Reply>(std::move(reply));
  Pool::Job job = [route, call = std::move(call), shared] { carry_out(*route, call, *shared); };
  if (!(route->spec->is_slow ? slow_pool_ : pool_).post(job))
    (*shared)(Error(codes::server_overloaded, "too many requests wait; try again soon"));
}

}  // namespace fp::api
