#pragma once
#include <Poco/Net/StreamSocket.h>

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/sync.h"
#include "core/ingress/http_server.h"
#include "core/ingress/request_reader.h"

namespace hookswitch {

class Poller;

/// One client's connection: reads requests one after the other, hands each whole one to the handler, sends the
/// response.
///
/// The poller's thread reads. While a request waits for its response, whoever holds its Responder has the request, and
/// sends the response from his own thread; what the socket does not take at once the poller sends. So `reader_` and
/// what belongs to it are the poller's in every state but kServing, and the Responder's in that one; `mu_` hands them
/// over.
class Connection final : public Exchange, public std::enable_shared_from_this<Connection> {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct Peer {
    std::string address;     ///< without port; "unix" for a unix socket
    std::string user;        ///< of a unix socket
    bool is_counted = true;  ///< towards the limits of connections; one that is turned away is not
  };
  Connection(std::shared_ptr<Poller> poller, const Poco::Net::StreamSocket& socket, Peer peer);

  // [thread: poller]
  /// Begins to read.
  void Open();
  /// Answers without having read anything, and closes.
  void TurnAway(const Answer& answer);
  void OnReadable();
  void OnWritable();
  /// Somebody has changed the state and wants the poller to go on from there.
  void OnPosted();
  /// Does what is due, and returns when to look again at the latest.
  TimePoint OnTimer(TimePoint now);
  /// It has not sent a whole request, and its place or its memory is wanted: closes it.
  void GiveWay();
  /// The server drains: a request is read only as long as it keeps coming.
  void LimitPauses();
  /// Closes it if no request of it is under way. Whether it did.
  bool CloseIfIdle();
  /// Closes it now, whatever it does.
  void Cut();
  const Peer& peer() const { return peer_; }
  const Poco::Net::StreamSocket& socket() const { return socket_; }

  /// The poller's own notes about this connection.
  struct Notes {
    int watched = 0;  ///< PollSet modes
    TimePoint timer = TimePoint::max();
    std::optional<std::list<Connection*>::iterator> incomplete;  ///< among those that owe the rest of a request
    std::optional<std::list<Connection*>::iterator> large;       ///< and have sent much of it already
    TimePoint incomplete_since{};
  };
  Notes notes;

  /// Ends the body of a response that goes on, if there is one. [thread: any]
  void EndBody() EXCLUDES(mu_);

  // Exchange
  ServedRequest View() const override;
  const HeadContext* context() const override { return context_.get(); }
  void Complete(const Answer& answer) override EXCLUDES(mu_);
  std::unique_ptr<BodyStream> Stream(const Answer& head, std::size_t max_unsent) override EXCLUDES(mu_);

 private:
  class Body;
  bool WriteBody(std::string_view piece) EXCLUDES(mu_);
  enum class State {
    kIdle,       ///< between two requests, or before the first
    kReading,    ///< a part of a request is here
    kDelayed,    ///< its response is known, and is sent at `deadline_`
    kServing,    ///< the request is whole and waits for its response
    kSending,    ///< the response waits for the socket
    kStreaming,  ///< the body of the response goes on
    kLingering,  ///< all is said; waits for the other side's end
    kClosed,
  };
  enum class Step { kGoOn, kWait };

  void Receive();
  void Advance(std::string_view bytes);
  Step Read(std::string_view& bytes);
  Step JudgeHead();
  void RespondEarly(const Answer& answer, std::chrono::milliseconds delay);
  void Serve();
  void RunHandler();
  bool UndoEncoding();
  void RefuseForLackOfRoom();
  void Refuse(int status, std::string_view error, std::string_view detail, int retry_after_seconds = 0);
  void EndRequest() REQUIRES(mu_);
  void Respond(const Answer& answer, bool keep_alive) REQUIRES(mu_);
  void Compose(const Answer& answer, bool keep_alive, bool is_stream) REQUIRES(mu_);
  /// Sends what it can of `out_`; false if the connection is broken.
  bool SendSome() REQUIRES(mu_);
  void AfterSending() REQUIRES(mu_);
  bool Count(std::size_t bytes);
  void Linger() REQUIRES(mu_);
  void Close() REQUIRES(mu_);
  bool MayGoOn() const;

  const std::shared_ptr<Poller> poller_;
  Poco::Net::StreamSocket socket_;
  const int fd_;
  const Peer peer_;

  // The poller's, or the Responder's while serving.
  std::unique_ptr<RequestReader> reader_;  ///< made with the first byte
  std::string pending_;                    ///< received and not read yet
  bool judged_ = false;                    ///< the head of this request has been
  bool encoded_ = false;                   ///< its body comes with a Content-Encoding to be undone
  std::shared_ptr<const HeadContext> context_;
  std::unique_ptr<const Answer> delayed_;  ///< with kDelayed
  std::size_t counted_ = 0;                ///< bytes of this request in the budget of all bodies
  std::size_t discarded_ = 0;

  mutable Mutex mu_;
  State state_ GUARDED_BY(mu_) = State::kIdle;
  TimePoint deadline_ GUARDED_BY(mu_){};
  TimePoint more_by_ GUARDED_BY(mu_) = TimePoint::max();  ///< in a drain: more of the request has come by then
  std::string out_ GUARDED_BY(mu_);                       ///< composed, from `sent_` on not sent yet
  std::size_t sent_ GUARDED_BY(mu_) = 0;
  bool keeps_alive_ GUARDED_BY(mu_) = false;  ///< after what is being sent
  bool is_muted_ GUARDED_BY(mu_) = false;     ///< more came while serving; it is not watched until the response is out
  std::size_t max_unsent_ GUARDED_BY(mu_) = 0;
  bool chunked_ GUARDED_BY(mu_) = false;
  bool body_ended_ GUARDED_BY(mu_) = false;  ///< of a stream
};

}  // namespace hookswitch
