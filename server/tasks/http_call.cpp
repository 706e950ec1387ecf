#include "tasks/http_call.hpp"

#include "base/error_code.hpp"
#include "tasks/text_codec.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::tasks {

const char* const kHttpConfigSchema = R"({
  "type": "object", "additionalProperties": false, "required": ["url"],
  "properties": {
    "method": {"enum": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], "default": "GET"},
    "url": {"type": "string", "minLength": 1, "maxLength": 16384, "description": "http:// or https://"},
    "query": {"type": "object", "description": "Added to the URL; a list gives one pair for each item"},
    "headers": {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}},
    "json": {"description": "Body: any value, sent as application/json"},
    "form": {"type": "object", "description": "Body: sent as application/x-www-form-urlencoded"},
    "multipart": {"type": "array", "minItems": 1, "maxItems": 100, "description": "Body: sent as multipart/form-data", "items": {
      "type": "object", "additionalProperties": false, "required": ["name"],
      "properties": {"name": {"type": "string"}, "value": {}, "base64": {"type": "string"}, "filename": {"type": "string"}, "content_type": {"type": "string"}},
      "oneOf": [{"required": ["value"]}, {"required": ["base64"]}]}},
    "body": {"description": "Body: text as it is, or {base64: ...}", "anyOf": [{"type": "string"},
      {"type": "object", "additionalProperties": false, "required": ["base64"], "properties": {"base64": {"type": "string"}}}]},
    "credential": {"type": "string", "description": "Name of a stored credential"},
    "expect_status": {"description": "What counts as success: 201, \"2xx\" or a list of these", "default": "2xx", "anyOf": [
      {"type": "integer", "minimum": 200, "maximum": 599}, {"type": "string", "pattern": "^[2-5](xx|[0-9][0-9])$"},
      {"type": "array", "minItems": 1, "items": {"anyOf": [{"type": "integer", "minimum": 200, "maximum": 599}, {"type": "string", "pattern": "^[2-5](xx|[0-9][0-9])$"}]}}]},
    "follow_redirects": {"type": "boolean", "default": false, "description": "Follow at most 5"},
    "response": {"enum": ["auto", "json", "text", "base64"], "default": "auto", "description": "How the body is read"},
    "max_bytes": {"type": "integer", "minimum": 1, "maximum": 104857600, "default": 10485760, "description": "Of the decompressed body"}
  },
  "allOf": [
    {"not": {"required": ["json", "form"]}}, {"not": {"required": ["json", "multipart"]}}, {"not": {"required": ["json", "body"]}},
    {"not": {"required": ["form", "multipart"]}}, {"not": {"required": ["form", "body"]}}, {"not": {"required": ["multipart", "body"]}}
  ]
})";

const char* const kHttpOutputSchema = R"({
  "type": "object",
  "properties": {
    "status_code": {"type": "integer"},
    "headers": {"type": "object", "description": "Names in lower case", "additionalProperties": {"type": "string"}},
    "data": {"description": "JSON when the reply is JSON, otherwise text; base64 when it is neither; null without a body"},
    "encoding": {"enum": ["json", "text", "base64"]},
    "url": {"type": "string", "description": "The last one, after redirects"},
    "elapsed_ms": {"type": "integer"}
  }
})";

namespace {

bool is_token(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.find(static_cast<char>(c)) != std::string_view::npos;
  });
}

bool is_field_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](unsigned char c) { return (c < 32 && c != '\t') || c == 127; });
}

// These decide where a message ends or which host it is for; the client writes them itself.
constexpr const char* kOwnHeaders[] = {
    "host",    "content-length", "transfer-encoding",   "connection",       "keep-alive",    "upgrade", "te",
    "trailer", "expect",         "proxy-authorization", "proxy-connection", "http2-settings"};

Result<void> read_headers(const Json& config, HttpCall& call) {
  const auto* headers = json_find(config, "headers");
  if (headers == nullptr) return {};
  for (const auto& member : headers->as_object()) {
    const std::string name(member.key());
    if (member.value().is_null()) continue;
    const auto value = to_display_text(member.value());
    if (!is_token(name))
      return Error(codes::http_header, "a header name may hold letters, digits and !#$%&'*+-.^_`|~ only");
    if (!is_field_value(value))
      return Error(
          codes::http_header,
          fmt::format("the value of header {} holds a line break or another control character", name));
    const auto lower = to_lower(name);
    if (std::find(std::begin(kOwnHeaders), std::end(kOwnHeaders), lower) != std::end(kOwnHeaders)) {
      return Error(codes::http_header, fmt::format("header {} is set by the client itself", name));
    }
    call.headers.emplace_back(name, value);
  }
  return {};
}

Result<std::string> decode_field(const Json& text, const char* field) {
  auto bytes = from_base64(text.as_string());
  if (!bytes) return Error(codes::config_invalid, fmt::format("{} is not base64", field));
  return std::move(*bytes);
}

Result<void> read_parts(const Json& list, HttpCall& call) {
  for (const auto& item : list.as_array()) {
    HttpPart part{json_string(item, "name"), "", json_string(item, "filename"),
                  json_string(item, "content_type")};
    for (const auto* text : {&part.name, &part.file_name, &part.content_type}) {
      if (!is_field_value(*text))
        return Error(
            codes::http_header,
            "a part's name, filename or content_type holds a line break or another control character");
    }
    if (const auto* coded = json_find(item, "base64")) {
      auto bytes = decode_field(*coded, "the base64 of a part");
      if (!bytes) return bytes.error();
      part.content = std::move(*bytes);
    } else {
      part.content = to_display_text(item.at("value"));
    }
    call.parts.push_back(std::move(part));
  }
  return {};
}

Result<void> read_body(const Json& config, HttpCall& call) {
  const auto set_type = [&](const char* type) {
    if (!call.has_header("content-type")) call.headers.emplace_back("Content-Type", type);
  };
  if (const auto* json = json_find(config, "json")) {
    call.body = to_text(*json);
    set_type("application/json");
  } else if (const auto* form = json_find(config, "form")) {
    call.body = encode_pairs(list_pairs(*form));
    set_type("application/x-www-form-urlencoded");
  } else if (const auto* parts = json_find(config, "multipart")) {
    return read_parts(*parts, call);
  } else if (const auto* body = json_find(config, "body")) {
    if (const auto* coded = json_find(*body, "base64")) {
      auto bytes = decode_field(*coded, "body.base64");
      if (!bytes) return bytes.error();
      call.body = std::move(*bytes);
      set_type("application/octet-stream");
    } else {
      call.body = std::string(body->as_string());
      set_type("text/plain; charset=utf-8");
    }
  }
  return {};
}

std::pair<int, int> read_status(const Json& value) {
  const auto text = to_display_text(value);
  if (text.ends_with("xx")) return {(text[0] - '0') * 100, (text[0] - '0') * 100 + 99};
  const int status = std::atoi(text.c_str());
  return {status, status};
}

void read_expected(const Json& config, HttpCall& call) {
  const auto* expected = json_find(config, "expect_status");
  if (expected == nullptr) return;
  call.expected.clear();
  if (const auto* list = expected->if_array()) {
    for (const auto& item : *list) call.expected.push_back(read_status(item));
  } else {
    call.expected.push_back(read_status(*expected));
  }
}

std::string with_query(const Json& config, const std::string& url) {
  const auto* query = json_find(config, "query");
  const auto pairs = query == nullptr ? std::string() : encode_pairs(list_pairs(*query));
  if (pairs.empty()) return url;
  const auto hash = url.find('#');
  const auto bare = url.substr(0, hash);
  const auto mark = bare.find('?');
  const char* glue = mark == std::string::npos ? "?" : bare.ends_with('?') || bare.ends_with('&') ? "" : "&";
  return fmt::format("{}{}{}{}", bare, glue, pairs, hash == std::string::npos ? "" : url.substr(hash));
}

}  // namespace

bool HttpCall::expects(long status) const {
  return std::any_of(expected.begin(), expected.end(),
                     [&](const auto& range) { return status >= range.first && status <= range.second; });
}

bool HttpCall::has_header(std::string_view lower_name) const {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const auto& header) { return to_lower(header.first) == lower_name; });
}

Result<void> check_http_url(const std::optional<Url>& url) {
  if (!url) return Error(codes::http_url, "this is not a URL");
  if (url->scheme != "http" && url->scheme != "https")
    return Error(codes::http_blocked_scheme,
                 fmt::format("{}: is not spoken here, only http: and https:", url->scheme));
  if (url->host.empty()) return Error(codes::http_url, "the URL names no host");
  return {};
}

Result<HttpCall> read_http_call(const ports::AttemptRequest& request) {
  const Json& config = *request.config;
  if (json_find(config, "credential") != nullptr) {
    return Error(codes::credential_unavailable, fmt::format("there is no credential store here for \"{}\"",
                                                            json_string(config, "credential")));
  }
  HttpCall call;
  const auto url = parse_url(with_query(config, json_string(config, "url")));
  if (const auto fit = check_http_url(url); !fit) return fit.error();
  call.url = *url;
  if (const auto read = read_headers(config, call); !read) return read.error();
  if (const auto read = read_body(config, call); !read) return read.error();
  read_expected(config, call);
  const auto method = json_string(config, "method");
  call.method = method.empty() ? "GET" : method;
  if (!call.has_header("idempotency-key"))
    call.headers.emplace_back("Idempotency-Key", request.idempotency_key);
  if (!call.has_header("user-agent")) call.headers.emplace_back("User-Agent", "FlowPilot/" FLOWPILOT_VERSION);
  if (!call.has_header("accept")) call.headers.emplace_back("Accept", "application/json, */*;q=0.8");
  const auto* follow = json_find(config, "follow_redirects");
  call.follow_redirects = follow != nullptr && follow->as_bool();
  if (const auto response = json_string(config, "response"); !response.empty()) call.response = response;
  if (const auto most = json_int(config, "max_bytes")) call.max_bytes = static_cast<std::size_t>(*most);
  return call;
}

}  // namespace fp::tasks
