#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "tasks/http_transfer.hpp"
#include "tasks/network.hpp"

namespace fp::tasks {

namespace {

class HttpRequestHandler final : public ports::TaskHandler {
 public:
  HttpRequestHandler(std::shared_ptr<Network> network, const Clock& clock, const HttpLimits& limits)
      : network_(std::move(network)), context_{network_->guard, clock, network_->proxy_url, limits} {
    spec_.type = "http_request";
    spec_.title = "HTTP request";
    spec_.category = "http";
    spec_.icon = "globe";
    spec_.description = "Calls a URL and gives status, headers and data of the reply.";
    spec_.config_schema = parse_trusted_json(kHttpConfigSchema);
    spec_.output_schema = parse_trusted_json(kHttpOutputSchema);
  }
  const model::TaskTypeSpec& spec() const override { return spec_; }
  Kind kind() const override { return Kind::asynchronous; }

  void start(ports::AttemptRequest request, std::shared_ptr<ports::AttemptControl> control,
             Done done) override {
    auto call = read_http_call(request);
    if (!call) return done(call.error());
    if (const auto literal = parse_ip(call->url.host)) {
      // A proxy would hide this peer from the check at the socket.
      if (const auto why = network_->guard.refuse(call->url.host, *literal, call->url.port))
        return done(Error(codes::http_blocked_address, *why));
    }
    const auto id = network_->loop.make_id();
    control->set_cancel_hook([network = network_, id] { network->loop.abort(id); });
    network_->loop.submit(id, std::make_unique<HttpTransfer>(context_, std::move(*call), request.timeout,
                                                             control, std::move(done)));
  }

 private:
  std::shared_ptr<Network> network_;
  HttpContext context_;
  model::TaskTypeSpec spec_;
};

}  // namespace

std::unique_ptr<ports::TaskHandler> make_http_request_handler(std::shared_ptr<Network> network,
                                                              const Clock& clock, const HttpLimits& limits) {
  return std::make_unique<HttpRequestHandler>(std::move(network), clock, limits);
}

}  // namespace fp::tasks
