#include "base/error_code.hpp"
#include "tasks/file_root.hpp"
#include "tasks/postgres_value.hpp"
#include "tasks/sql_call.hpp"
#include "tasks/sql_names.hpp"
#include "tasks/text_codec.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <netdb.h>
#include <optional>
#include <poll.h>
#include <set>
#include <sys/eventfd.h>
#include <unistd.h>

namespace fp::tasks {

namespace {

constexpr Milliseconds kConnect{10'000};

struct ConnectionCloser {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using Connection = std::unique_ptr<PGconn, ConnectionCloser>;
struct ResultCloser {
  void operator()(PGresult* result) const { PQclear(result); }
};
using PgResult = std::unique_ptr<PGresult, ResultCloser>;

/// Waits for a socket, the deadline or a cancel, whichever comes first.
class Waiter {
 public:
  explicit Waiter(const SqlContext& context)
      : context_(context), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    context.control.set_cancel_hook([fd = wake_.get()] { eventfd_write(fd, 1); });
  }
  ~Waiter() { context_.control.set_cancel_hook({}); }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  /// False when the attempt is over or `until` has come.
  bool wait(int socket, short events, SteadyPoint until) const {
    while (true) {
      const auto left =
          std::chrono::ceil<Milliseconds>(std::min(until, context_.deadline) - context_.clock.steady_now());
      if (context_.control.is_cancelled() || left <= Milliseconds(0)) return false;
      pollfd watched[] = {{socket, events, 0}, {wake_.get(), POLLIN, 0}};
      poll(watched, 2, static_cast<int>(std::min(left, Milliseconds(60'000)).count()));
      if (watched[0].revents != 0) return true;
    }
  }

 private:
  const SqlContext& context_;
  FileDescriptor wake_;
};

struct Options {
  std::string host, port = "5432", database, user, password, ssl_mode, application;
};

Result<Options> parse_options(const std::string& url) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed(
      PQconninfoParse(url.c_str(), &message), &PQconninfoFree);
  PQfreemem(message);  // it repeats parts of the URL, so nobody sees it
  if (!parsed) return Error(codes::sql_url, "the url must be postgresql://user:password@host:port/database");
  Options out;
  const std::pair<std::string_view, std::string*> known[] = {{"host", &out.host},
                                                             {"port", &out.port},
                                                             {"dbname", &out.database},
                                                             {"user", &out.user},
                                                             {"password", &out.password},
                                                             {"sslmode", &out.ssl_mode},
                                                             {"application_name", &out.application}};
  for (const auto* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const auto found = std::find_if(std::begin(known), std::end(known),
                                    [&](const auto& entry) { return entry.first == option->keyword; });
    if (found == std::end(known))
      return Error(codes::sql_url, fmt::format("the url may not set {}", option->keyword));
    *found->second = option->val;
  }
  if (out.host.empty()) out.host = "localhost";
  if (out.host.find(',') != std::string::npos || out.port.find(',') != std::string::npos)
    return Error(codes::sql_url, "the url may name one host only");
  return out;
}

/// The host's addresses that may be reached, with commas between, as libpq takes them; libpq itself resolves
/// nothing.
Result<std::string> resolve(const Options& options, const SqlContext& context) {
  std::uint16_t port = 0;
  std::from_chars(options.port.data(), options.port.data() + options.port.size(), port);
  if (options.host.starts_with('/')) {  // a socket on this machine is as open as loopback
    if (auto why = context.guard.refuse(options.host, *parse_ip("127.0.0.1"), port))
      return Error(codes::sql_blocked_address, "local sockets are not open to workflows");
    return std::string();
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (getaddrinfo(options.host.c_str(), nullptr, &hints, &list) != 0)
    return Error(codes::sql_connect, fmt::format("the host name {} does not resolve", options.host));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, &freeaddrinfo);
  std::string allowed;
  std::string refused;
  for (const auto* entry = list; entry != nullptr; entry = entry->ai_next) {
    const auto ip = ip_from_sockaddr(*entry->ai_addr);
    if (!ip) continue;
    if (auto why = context.guard.refuse(options.host, *ip, port))
      refused = std::move(*why);
    else
      allowed += (allowed.empty() ? "" : ",") + to_string(*ip);
  }
  if (allowed.empty()) return Error(codes::sql_blocked_address, refused);
  return allowed;
}

std::string repeat(const std::string& text, std::size_t times) {
  std::string out = text;
  for (std::size_t i = 1; i < times; ++i) out += "," + text;
  return out;
}

Error make_connect_error(PGconn* connection) {
  std::string text = PQerrorMessage(connection);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const auto has = [&](const char* words) { return text.find(words) != std::string::npos; };
  const bool refused = has("authentication failed") || has("no password supplied") || has("does not exist") ||
                       has("no pg_hba.conf entry");
  const bool missing_socket = has("No such file or directory");
  return {refused && !missing_socket ? codes::sql_auth : codes::sql_connect,
          std::string(cut_utf8(is_utf8(text) ? text : "the connection failed", 400))};
}

Result<Connection> connect(const Options& options, const SqlContext& context, const Waiter& waiter) {
  const auto addresses = resolve(options, context);
  if (!addresses) return addresses.error();
  const auto count = static_cast<std::size_t>(std::count(addresses->begin(), addresses->end(), ',')) + 1;
  const auto left = std::chrono::ceil<Milliseconds>(context.deadline - context.clock.steady_now());
  const auto settings =
      fmt::format("-c statement_timeout={} -c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=iso_8601",
                  std::max<std::int64_t>(1, left.count()));
  const auto hosts = repeat(options.host, count);
  const auto ports = repeat(options.port, count);
  const std::pair<const char*, std::string> given[] = {
      {"host", hosts},
      {"hostaddr", *addresses},
      {"port", ports},
      {"dbname", options.database},
      {"user", options.user},
      {"password", options.password},
      {"sslmode", options.ssl_mode},
      {"application_name", options.application.empty() ? "flowpilot" : options.application},
      {"passfile", "/dev/null/none"},
      {"client_encoding", "UTF8"},
      {"options", settings}};
  std::vector<const char*> keys;
  std::vector<const char*> values;
  for (const auto& [key, value] : given) {
    if (value.empty()) continue;
    keys.push_back(key);
    values.push_back(value.c_str());
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  Connection connection(PQconnectStartParams(keys.data(), values.data(), 0));
  const auto until = context.clock.steady_now() + kConnect;
  for (auto state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK;
       state = PQconnectPoll(connection.get())) {
    if (PQstatus(connection.get()) == CONNECTION_BAD || state == PGRES_POLLING_FAILED)
      return make_connect_error(connection.get());
    if (waiter.wait(PQsocket(connection.get()), state == PGRES_POLLING_READING ? POLLIN : POLLOUT, until))
      continue;
    if (context.is_over()) return context.make_over_error();
    return Error(codes::sql_connect, "the database server does not answer");
  }
  return connection;
}

const ErrorCode& code_of(std::string_view state, std::string_view message) {
  if (state == "42501" || state == "25006" || state == "0A000") return codes::sql_forbidden;
  if (state == "42601" && message.find("multiple commands") != std::string_view::npos)
    return codes::sql_multi;
  if (state == "08P01" || state == "42P18") return codes::sql_params;
  if (state == "40001" || state == "40P01" || state == "55P03" || state == "55006")
    return codes::sql_conflict;
  if (state == "57014") return codes::sql_timeout;
  const auto kind = state.substr(0, 2);
  if (kind == "42") return codes::sql_syntax;
  if (kind == "23") return codes::sql_constraint;
  if (kind == "28" || kind == "3D") return codes::sql_auth;
  return kind == "08" || kind == "57" || kind == "53" ? codes::sql_connect : codes::sql_failed;
}

Error make_result_error(const PGresult* result, PGconn* connection, const SqlContext& context) {
  if (context.is_over()) return context.make_over_error();
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  if (state == nullptr) return make_connect_error(connection);
  const std::string_view message = text == nullptr ? "" : text;
  Error error(code_of(state, message), std::string(cut_utf8(message, 400)));
  error.details = JsonObject{{"sqlstate", state}};
  return error;
}

void stop_statement(PGconn* connection) {
  const std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> cancel(PQgetCancel(connection), &PQfreeCancel);
  char message[256];
  if (cancel) PQcancel(cancel.get(), message, sizeof message);
}

/// The next result; empty at the end.
Result<PgResult> next_result(PGconn* connection, const SqlContext& context, const Waiter& waiter) {
  for (int unsent = 1; unsent != 0 || PQisBusy(connection) != 0;) {
    unsent = PQflush(connection);
    if (unsent < 0) return make_connect_error(connection);
    if (unsent == 0 && PQisBusy(connection) == 0) break;
    if (!waiter.wait(PQsocket(connection), static_cast<short>(unsent != 0 ? POLLIN | POLLOUT : POLLIN),
                     context.deadline)) {
      stop_statement(connection);
      return context.make_over_error();
    }
    if (PQconsumeInput(connection) == 0) return make_connect_error(connection);
  }
  return PgResult(PQgetResult(connection));
}

Result<void> send(PGconn* connection, const SqlCall& call) {
  std::string text = call.query;
  std::vector<const Json*> given;
  if (const auto* object = call.params.if_object()) {
    auto numbered = number_names(call.query);
    for (const auto& name : numbered.names) {
      given.push_back(json_find(call.params, name));
      if (given.back() == nullptr) return Error(codes::sql_params, fmt::format("params has no \"{}\"", name));
    }
    if (numbered.names.size() != object->size())
      return Error(codes::sql_params, "params has a name that the statement does not use");
    text = std::move(numbered.text);
  } else if (const auto* list = call.params.if_array()) {
    for (const auto& item : *list) given.push_back(&item);
  }
  std::vector<std::string> texts;
  for (const auto* value : given) texts.push_back(to_display_text(*value));
  std::vector<const char*> values;
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (texts[i].find('\0') != std::string::npos)
      return Error(codes::sql_params, fmt::format("parameter {} holds a zero byte", i + 1));
    values.push_back(given[i]->is_null() ? nullptr : texts[i].c_str());
  }
  if (values.size() > 65'535) return Error(codes::sql_params, "there are more than 65535 parameters");
  // The extended protocol takes one statement, so a second one behind a semicolon is an error of the server's
  // parser.
  PQsetnonblocking(connection, 1);
  if (PQsendQueryParams(connection, text.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                        nullptr, nullptr, 0) == 0)
    return make_connect_error(connection);
  PQsetSingleRowMode(connection);
  return {};
}

Result<void> take_row(const PGresult* result, SqlRows& rows) {
  if (rows.columns().empty()) {
    std::vector<std::string> names;
    for (int i = 0; i < PQnfields(result); ++i) names.emplace_back(PQfname(result, i));
    rows.set_columns(names);
  }
  JsonObject row;
  for (int i = 0; i < PQnfields(result); ++i) {
    const std::string_view text(PQgetvalue(result, 0, i),
                                static_cast<std::size_t>(PQgetlength(result, 0, i)));
    row[rows.columns()[static_cast<std::size_t>(i)]] =
        PQgetisnull(result, 0, i) != 0 ? Json(nullptr) : read_postgres_value(PQftype(result, i), text);
  }
  return rows.add(std::move(row));
}

}  // namespace

Result<Json> run_postgres(const SqlCall& call, const SqlContext& context) {
  static const std::set<std::string> kForbidden{"copy", "load", "listen", "do"};
  if (call.query.find('\0') != std::string::npos)
    return Error(codes::sql_syntax, "the query holds a zero byte");
  if (const auto word = first_word(call.query); kForbidden.contains(word))
    return Error(codes::sql_forbidden, fmt::format("{} is not for steps", word));
  const auto options = parse_options(call.url);
  if (!options) return options.error();
  const Waiter waiter(context);
  const auto connection = connect(*options, context, waiter);
  if (!connection) return connection.error();
  if (const auto sent = send(connection->get(), call); !sent) return sent.error();
  SqlRows rows(call);
  std::int64_t affected = 0;
  while (true) {
    const auto result = next_result(connection->get(), context, waiter);
    if (!result) return result.error();
    if (!*result) return rows.to_output(affected);
    const auto status = PQresultStatus(result->get());
    if (status == PGRES_SINGLE_TUPLE) {
      const auto taken = take_row(result->get(), rows);
      if (taken) continue;
      stop_statement(connection->get());
      return taken.error();
    }
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH)
      return Error(codes::sql_forbidden, "COPY is not for steps");
    if (status == PGRES_EMPTY_QUERY) return Error(codes::sql_syntax, "the query holds no statement");
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
      return make_result_error(result->get(), connection->get(), context);
    const std::string_view count = PQcmdTuples(result->get());
    std::from_chars(count.data(), count.data() + count.size(), affected);
  }
}

}  // namespace fp::tasks
