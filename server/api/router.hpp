#pragma once

#include "api/call.hpp"
#include "api/pool.hpp"
#include "net/handler.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace fp::api {

/// What becomes of one request, for metrics and logs. Called on whatever thread answered.
using Served = std::function<void(const OperationSpec* spec, const net::Request& request, unsigned status,
                                  std::chrono::nanoseconds took)>;

/// From a request to the handler of its operation: finds the route, asks the policy, checks parameters and
/// body against the schemas of contract/openapi.yaml, and turns errors into problem documents. Handlers run
/// on the pool, those of x-inline routes on the caller's thread. Thread-safe once every operation has its
/// handler.
class Router {
 public:
  /// Moves the reply away when it answers later. One that throws Unavailable before that is answered with its
  /// error.
  using Handler = std::function<void(const CallPtr&, Reply&)>;
  using Blocking = std::function<Result<net::Response>(Call&)>;

  Router(Pool& pool, Pool& slow_pool, std::string worker_token, Served served);

  void add(Operation operation, Handler handler);
  /// For handlers that answer before they return.
  void add_blocking(Operation operation, Blocking handler);
  /// Operations without a handler; a server with any does not start.
  std::vector<std::string> list_missing() const;

  void handle(net::Request request, net::Handler::Respond respond);

 private:
  struct Parameter {
    std::string name;
    std::string in;
    Json schema;
    bool required = false;
  };
  struct Route {
    const OperationSpec* spec = nullptr;
    std::vector<std::string> segments;  // "{name}" stands for a parameter
    std::vector<Parameter> parameters;
    Json body_schema;
    bool has_body = false;
    bool is_document = false;
    bool body_required = false;
    std::vector<std::string> content_types;
    Handler handler;
  };

  const Route* match(const net::Request& request, std::map<std::string, Json, std::less<>>& captured,
                     std::string& allow) const;
  Result<void> read_parameters(const Route& route, Call& call) const;
  static Result<void> read_parameter(const Parameter& parameter, const std::string* text, Call& call,
                                     std::vector<Issue>& issues);
  static Result<void> read_body(const Route& route, Call& call);
  Subject identify(const net::Request& request) const;
  static Result<void> check_origin(const net::Request& request);
  static void carry_out(const Route& route, const CallPtr& call, Reply& reply);

  Pool& pool_;
  Pool& slow_pool_;  // for operations that wait for the sandbox
  std::string worker_token_;
  Served served_;
  std::vector<Route> routes_;
};

}  // namespace fp::api
