#pragma once

#include "net/connection.hpp"
#include "net/handler.hpp"
#include "net/request_parser.hpp"

#include <boost/asio/ip/address.hpp>

#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace fp::net {

/// One HTTP/1.1 connection: reads requests, hands them to the Handler, several at once when the client
/// pipelines, and writes the replies in the order of the requests. Lives on its lane's thread. Reads no
/// further while replies wait to be written, so what it holds is bounded. Ends by shutting down its side and
/// reading over the rest for a moment: closing at once would take the last reply from a client that is still
/// sending.
class HttpSession final : public Connection {
 public:
  HttpSession(Lane& lane, Socket socket, const boost::asio::ip::address& peer);
  ~HttpSession() override { *is_gone_ = true; }

  void start() override;
  void answer(std::uint64_t request, Response response) override;
  void wake() override;
  void check_time(SteadyPoint now) override;
  void begin_stop() override;

 private:
  enum class Phase { kNone, kIdle, kHead, kBody, kLinger };
  /// A request whose reply is not written yet.
  struct Slot {
    std::uint64_t number = 0;
    std::string request_id;
    bool is_head = false;
    bool takes_gzip = false;
    bool closes = false;
    std::optional<Response> response;
  };

  void read();
  void on_read(boost::system::error_code error, std::size_t count);
  void on_end_of_input();
  void on_writable() override;

  /// Takes requests out of what was read, as many as may be under way, writes what is answered, reads on.
  void advance();
  bool parse_some();
  bool may_parse() const;
  void feed_parser();
  void dispatch();
  void serve(Request request, const Slot& slot);
  Slot& add_slot(const Request& request);
  void refuse(Refusal refusal);
  void settle();
  void write_reply(Slot& slot, bool closes);
  void greet_expectation();
  void try_upgrade(Request request);
  std::variant<std::unique_ptr<WebSocketListener>, Response> ask_for_listener(const Request& request);
  void become_websocket(std::unique_ptr<WebSocketListener> listener, const Request& request);
  void set_phase();
  void linger();

  const std::string peer_;
  const bool is_loopback_;
  const std::shared_ptr<std::atomic<bool>> is_gone_ = std::make_shared<std::atomic<bool>>(false);
  RequestParser parser_;
  std::vector<char> in_;
  std::size_t begin_ = 0;  // of what is not parsed yet
  std::size_t end_ = 0;
  std::deque<Slot> slots_;
  std::uint64_t last_number_ = 0;
  std::optional<Request> held_upgrade_;  // until the requests before it are answered
  Phase phase_ = Phase::kNone;
  SteadyPoint read_deadline_;
  std::size_t linger_left_ = 0;
  bool is_reading_ = false;
  bool is_advancing_ = false;
  bool takes_requests_ = true;  // until one says it is the last
  bool is_closing_ = false;     // the last reply is among what is to be written
  bool input_ended_ = false;
};

}  // namespace fp::net
