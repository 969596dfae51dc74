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

/// One client's connection: reads requests one after the other, passes each complete one to the handler, sends the
/// response.
///
/// The poller thread reads. While a request is served, its Responder owns it and sends the response from its own
/// thread; the poller sends what the socket does not take at once. So `reader_` and the members in its group belong to
/// the Responder in kServing, and to the poller in every other state; `mu_` hands them over.
class Connection final : public Exchange, public std::enable_shared_from_this<Connection> {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct Peer {
    std::string address;     ///< without port; "unix" for a unix socket
    std::string user;        ///< the user at the other end of a unix socket
    bool is_counted = true;  ///< towards the connection limits; false if it is turned away
  };
  Connection(std::shared_ptr<Poller> poller, const Poco::Net::StreamSocket& socket, Peer peer);

  // [thread: poller]
  /// Starts reading.
  void Open();
  /// Responds without reading anything, then closes.
  void TurnAway(const Answer& answer);
  void OnReadable();
  void OnWritable();
  /// Another thread changed the state and posted this connection: continues from there.
  void OnPosted();
  /// Acts on a deadline that has passed; returns when to call again, at the latest.
  TimePoint OnTimer(TimePoint now);
  /// Closes the connection to free its place or its memory; a request being read is answered 503.
  void GiveWay();
  /// For a draining server: a request is read only while its bytes keep coming.
  void LimitPauses();
  /// Closes the connection if no request is in progress; returns whether it did.
  bool CloseIfIdle();
  /// Closes the connection at once, in any state.
  void Cut();
  const Peer& peer() const { return peer_; }
  const Poco::Net::StreamSocket& socket() const { return socket_; }

  /// The poller's bookkeeping for this connection.
  struct Notes {
    int watched = 0;  ///< PollSet modes
    TimePoint timer = TimePoint::max();
    std::optional<std::list<Connection*>::iterator> incomplete;  ///< place in the list of incomplete requests
    std::optional<std::list<Connection*>::iterator> large;  ///< place among those of them with a large partial body
    TimePoint incomplete_since{};
  };
  Notes notes;

  /// [thread: any] Ends the body of an open stream, if there is one.
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
    kReading,    ///< part of a request has arrived
    kDelayed,    ///< its response is sent at `deadline_`
    kServing,    ///< the request is complete and waits for its response
    kSending,    ///< the socket has not taken all of the response
    kStreaming,  ///< the response body is open
    kLingering,  ///< the response is sent; waits for the peer to close
    kClosed,
  };
  enum class Step { kGoOn, kWait };

  void Receive();
  void Advance(std::string_view bytes);
  Step Read(std::string_view& bytes);
  Step JudgeHead();
  void GrantDropTime();
  void RespondEarly(const Answer& answer, std::chrono::milliseconds delay);
  void Serve();
  void RunHandler();
  bool UndoEncoding();
  void RefuseForLackOfRoom();
  void Refuse(int status, std::string_view error, std::string_view detail, int retry_after_seconds = 0);
  void EndRequest() REQUIRES(mu_);
  void Respond(const Answer& answer, bool keep_alive) REQUIRES(mu_);
  void Compose(const Answer& answer, bool keep_alive, bool is_stream) REQUIRES(mu_);
  /// Sends what the socket takes of `out_`; false if the connection is broken.
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

  // Owned by the poller, in kServing by the Responder.
  std::unique_ptr<RequestReader> reader_;  ///< created with the first byte
  std::string pending_;                    ///< received, not yet parsed
  bool judged_ = false;                    ///< the head of this request has been judged
  bool encoded_ = false;                   ///< the body must be decoded (Content-Encoding)
  bool may_block_ = false;                 ///< HeadVerdict::may_block
  bool has_drop_time_ = false;             ///< its deadline is that of a body that is dropped
  std::shared_ptr<const HeadContext> context_;
  std::unique_ptr<const Answer> delayed_;  ///< the response, in kDelayed
  std::size_t counted_ = 0;                ///< bytes of this request charged to max_bodies
  std::size_t discarded_ = 0;

  mutable Mutex mu_;
  State state_ GUARDED_BY(mu_) = State::kIdle;
  TimePoint deadline_ GUARDED_BY(mu_){};
  TimePoint more_by_ GUARDED_BY(mu_) = TimePoint::max();  ///< while draining: when more must have arrived
  std::string out_ GUARDED_BY(mu_);                       ///< unsent from `sent_` on
  std::size_t sent_ GUARDED_BY(mu_) = 0;
  bool keeps_alive_ GUARDED_BY(mu_) = false;  ///< after the response that is being sent
  bool is_muted_ GUARDED_BY(mu_) = false;     ///< not watched for input until the response is out
  std::size_t max_unsent_ GUARDED_BY(mu_) = 0;
  bool chunked_ GUARDED_BY(mu_) = false;
  bool body_ended_ GUARDED_BY(mu_) = false;  ///< of a stream
};

}  // namespace hookswitch
