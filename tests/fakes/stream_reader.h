#pragma once
#include <optional>
#include <string>

#include "core/base/json.h"
#include "tests/admin/api_document.h"
#include "tests/ingress/raw_client.h"

namespace hookswitch {

/// A reader of the admin API's stream: server-sent events in a chunked body, byte by byte as they come. Each must be
/// documented (core/admin/openapi.json).
class StreamReader {
 public:
  struct Message {
    std::string kind;  ///< "event", "hello"; "": the stream has ended
    std::string id;
    json::object data;
  };

  /// Asks for `target`; `headers`: whole lines. `receive_buffer`: of the socket, in bytes; 0: the system's.
  StreamReader(const std::string& address, const std::string& target, const std::string& headers = "",
               int receive_buffer = 0)
      : client_(address, nullptr, receive_buffer) {
    client_.Send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n");
    head_ = client_.Answer();
  }

  const std::string& head() const { return head_; }
  /// Waits for the next message; passes over comments.
  Message Next() {
    for (;;) {
      const auto end = text_.find("\n\n");
      if (end == std::string::npos) {
        if (!ReadChunk()) return {};
        continue;
      }
      const std::string message = text_.substr(0, end + 1);
      text_.erase(0, end + 2);
      if (message == ":\n") continue;
      id_ = Field(message, "id");
      Message read{Field(message, "event"), id_, json::parse(Field(message, "data")).as_object()};
      ExpectDocumentedMessage(read.kind, read.data);
      return read;
    }
  }
  /// Waits for the next comment; false if a message or the end comes first.
  bool AwaitComment() {
    while (text_.find("\n\n") == std::string::npos) {
      if (!ReadChunk()) return false;
    }
    const bool is_comment = text_.starts_with(":");
    if (is_comment) text_.erase(0, text_.find("\n\n") + 2);
    return is_comment;
  }
  /// The kind of the next message.
  std::string Kind() { return Next().kind; }
  /// The id of the last message.
  const std::string& id() const { return id_; }
  /// Whether the stream was ended by its last chunk, not cut off.
  bool ended_in_order() const { return ended_in_order_; }

 private:
  bool ReadChunk() {
    std::string size;
    while (!size.ends_with("\r\n")) {
      const std::string byte = client_.Bytes(1);
      if (byte.empty()) return false;
      size += byte;
    }
    const std::size_t bytes = std::stoul(size, nullptr, 16);
    const std::string chunk = client_.Bytes(bytes + 2);
    ended_in_order_ = bytes == 0;
    if (chunk.size() != bytes + 2 || bytes == 0) return false;
    text_ += chunk.substr(0, bytes);
    return true;
  }
  static std::string Field(const std::string& message, const std::string& name) {
    const auto begin = message.find(name + ": ") + name.size() + 2;
    return message.substr(begin, message.find('\n', begin) - begin);
  }

  testing::RawClient client_;
  std::string head_, text_, id_;
  bool ended_in_order_ = false;
};

}  // namespace hookswitch
