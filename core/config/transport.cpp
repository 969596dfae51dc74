#include "core/config/transport.h"

#include <utility>

#include "core/base/encoding.h"
#include "core/base/pem.h"
#include "core/base/text.h"
#include "core/config/map_reader.h"
#include "core/config/scalars.h"
#include "core/config/secrets.h"

namespace hookswitch::config {
namespace {

/// PEM text and its name for messages.
struct Pem {
  const Node* node = nullptr;
  std::string name;  ///< the file's or the variable's
  std::string text;
};

class TransportReader {
 public:
  TransportReader(const std::string& at, const Environment& environment, Problems& problems)
      : at_(at), environment_(environment), problems_(problems) {}

  void ReadTls(const Node& tls, Transport& transport) {
    const MapReader reader(&tls, at_ + ".tls", problems_);
    const auto ca = Read(reader, "ca");
    if (ca && Fits(*ca, "ca", FaultOfCertificates(ca->text))) transport.ca = ca->text;
    const Node* cert_node = reader.Get("cert");
    const Node* key_node = reader.Get("key");
    if (key_node && !cert_node) {
      problems_.Error(key_node->where, Width(*key_node), at_ + ".tls.key needs the certificate that it belongs to",
                      "add tls.cert");
      return;
    }
    const auto cert = Read(reader, "cert");
    auto key = key_node ? Read(reader, "key") : cert;
    if (!cert || !key || !Fits(*cert, "cert", FaultOfCertificates(cert->text))) return;
    const std::string fault = FaultOfKey(key->text, cert->text);
    if (!Fits(*key, key_node ? "key" : "cert", fault, key_node ? "" : "tls.key names the key's own file")) return;
    transport.cert = cert->text;
    transport.key = Secret(std::move(key->text));
  }

  void ReadProxy(const Node& node, Transport& transport) {
    auto proxy = ResolveSecret(node, at_ + ".proxy", environment_, problems_, /*form_is_known=*/true);
    if (!proxy) return;
    if (IsProxy(proxy->Reveal())) {
      transport.proxy = std::move(*proxy);
    } else if (!problems_.HasErrorAt(node.where)) {
      problems_.Error(node.where, Width(node),
                      at_ +
                          ".proxy: expected a URL with a port, of http, https, socks5 or socks5h, such as "
                          "http://proxy.example.com:3128 or http://user:password@proxy.example.com:3128",
                      "in user and password all but letters and digits is written as %XX");
    }
  }

 private:
  /// A path, the text itself, {env: NAME} or {file: PATH}.
  std::optional<Pem> Read(const MapReader& reader, std::string_view key) {
    const Node* node = reader.Get(key);
    if (!node || problems_.HasErrorAt(node->where)) return {};
    const bool is_path = node->kind == Node::Kind::kScalar && node->scalar.find("-----BEGIN") == std::string::npos;
    if (is_path) return ReadFile(*node, node->scalar, reader.Name(key));
    auto text = ResolveSecret(*node, reader.Name(key), environment_, problems_, /*form_is_known=*/true);
    if (!text) return {};
    const Node* variable = node->Find("env");
    const Node* file = node->Find("file");
    return Pem{node, variable ? variable->scalar : file ? file->scalar : "it", text->Reveal()};
  }

  std::optional<Pem> ReadFile(const Node& node, const std::string& name, const std::string& at) {
    const std::string path = RelativeTo(node.where.file ? node.where.file->path : "", name);
    std::string error;
    auto text = environment_.read_file ? environment_.read_file(path, error) : std::nullopt;
    if (text && text->find("PRIVATE KEY-----") != std::string::npos && environment_.others_can_read &&
        environment_.others_can_read(path)) {
      problems_.Warning(node.where, Width(node), at + ": everyone on this machine can read " + path,
                        "chmod o-r " + path);
    }
    if (text) return Pem{&node, path, std::move(*text)};
    // Where secrets are optional, the files beside them are, too.
    if (!environment_.secrets_optional) {
      problems_.Error(node.where, Width(node), at + ": cannot read " + path + ": " + error);
    }
    return {};
  }

  bool Fits(const Pem& pem, const std::string& key, const std::string& fault, std::string hint = {}) {
    if (fault.empty()) return true;
    problems_.Error(pem.node->where, Width(*pem.node), at_ + ".tls." + key + ": " + pem.name + ' ' + fault,
                    std::move(hint));
    return false;
  }

  /// True if `text`, user and password, is percent-encoded as libcurl expects it.
  static bool IsEscaped(std::string_view text) {
    if (text.find('@') != std::string_view::npos) return false;
    for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
      if (at + 2 >= text.size() || HexDigit(text[at + 1]) < 0 || HexDigit(text[at + 2]) < 0) return false;
    }
    return true;
  }

  static bool IsProxy(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos) return false;
    const std::string word = ToLower(url.substr(0, scheme));
    if (word != "http" && word != "https" && word != "socks5" && word != "socks5h") return false;
    url.remove_prefix(scheme + 3);
    if (url.ends_with('/')) url.remove_suffix(1);
    if (url.find_first_of("/?# \t\r\n") != std::string_view::npos) return false;
    if (const auto user_end = url.rfind('@'); user_end != std::string_view::npos) {
      if (!IsEscaped(url.substr(0, user_end))) return false;
      url.remove_prefix(user_end + 1);
    }
    const auto address = ParseListen(url);
    return address && !url.starts_with(':') && address->port != 0;
  }

  const std::string at_;
  const Environment& environment_;
  Problems& problems_;
};

}  // namespace

Transport MakeTransport(const Node& sink, const std::string& at, const Environment& environment, Problems& problems) {
  Transport transport;
  TransportReader reader(at, environment, problems);
  if (const Node* tls = sink.Find("tls")) reader.ReadTls(*tls, transport);
  if (const Node* proxy = sink.Find("proxy")) reader.ReadProxy(*proxy, transport);
  return transport;
}

}  // namespace hookswitch::config
