#include "engine_core/onnx/model_reader.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <string_view>

#include "engine_core/onnx/display_text.h"
#include "onnx.pb.h"

namespace strobe {
namespace {

struct Signature {
    std::string_view start;
    const char* looksLike;
    const char* advice;
};
constexpr Signature kSignatures[] = {
    {"PK\x03\x04", "a zip archive", "unpack it and open the .onnx file inside"},
    {"\x1f\x8b", "a gzip archive", "unpack it and open the .onnx file inside"},
    {"version https://git-lfs", "a Git LFS pointer", "fetch the real file with 'git lfs pull'"},
    {"<!DOCTYPE", "an HTML page", "the download was a web page; fetch the file itself"},
    {"<!doctype", "an HTML page", "the download was a web page; fetch the file itself"},
    {"<html", "an HTML page", "the download was a web page; fetch the file itself"},
    {"GGUF", "a GGUF checkpoint", "export the model as ONNX"},
    {"\x80\x02", "a Python pickle", "export the model as ONNX"},
    {"\x80\x04", "a Python pickle", "export the model as ONNX"},
    {"\x89HDF", "an HDF5 file", "export the model as ONNX"},
    {"\x7f"
     "ELF",
     "an ELF binary", "give an .onnx file"},
    {"STROBE", "a Strobe file", "an engine is run by strobe-cli --loadEngine; to look into it, open its model"},
};

bool isText(std::string_view head) {
    return std::all_of(head.begin(), head.end(),
                       [](unsigned char c) { return c >= 0x20 || c == '\n' || c == '\r' || c == '\t'; });
}

Status sniff(std::span<const uint8_t> file) {
    if (file.empty()) return invalidModel("the file is empty; give an ONNX model");
    const std::string_view head(reinterpret_cast<const char*>(file.data()), std::min<size_t>(file.size(), 512));
    const auto refuse = [](const std::string& what, const char* advice) {
        return invalidModel("this is no ONNX model, it looks like " + what + "; " + advice);
    };
    for (const Signature& signature : kSignatures)
        if (head.substr(0, signature.start.size()) == signature.start)
            return refuse(signature.looksLike, signature.advice);
    if (head.size() > 8 && head.substr(4, 4) == "TFL3") return refuse("a TensorFlow Lite model", "convert it to ONNX");
    if (head.size() > 9 && head[8] == '{' && head.substr(4, 4) == std::string_view("\0\0\0\0", 4))
        return refuse("a safetensors checkpoint", "export the model as ONNX");
    if (isText(head)) return refuse("text (\"" + displayText(head, 24) + "\")", "give the binary .onnx file");
    return Status::ok();
}

/// Ends early when cancelled.
class CancellableStream final : public google::protobuf::io::ZeroCopyInputStream {
public:
    CancellableStream(const std::string& bytes, const CancelToken& cancel)
        : m_bytes(bytes.data(), static_cast<int>(bytes.size()), static_cast<int>(kBytesPerPoll / 4)), m_cancel(cancel) {}
    bool Next(const void** data, int* size) override { return !m_cancel.isCancelled() && m_bytes.Next(data, size); }
    void BackUp(int count) override { m_bytes.BackUp(count); }
    bool Skip(int count) override { return m_bytes.Skip(count); }
    int64_t ByteCount() const override { return m_bytes.ByteCount(); }

private:
    google::protobuf::io::ArrayInputStream m_bytes;
    const CancelToken& m_cancel;
};

template <class Proto>
Result<std::shared_ptr<const Proto>> parse(std::span<const uint8_t> file, WireRoot root, const CancelToken& cancel) {
    STROBE_ASSIGN(const SlimBytes slim, slimDown(file, root, cancel));
    auto message = std::make_shared<Proto>();
    CancellableStream bytes(slim.bytes, cancel);
    google::protobuf::io::CodedInputStream stream(&bytes);
    stream.SetRecursionLimit(kMaxMessageNesting * 2 + kMaxSubgraphDepth * 4);
    const bool parsed = message->ParseFromCodedStream(&stream) && stream.ConsumedEntireMessage();
    if (cancel.isCancelled()) return cancelled();
    if (!parsed)
        return invalidModel("protobuf cannot read the file; it is damaged, fetch it again");
    return std::shared_ptr<const Proto>(std::move(message));
}

}  // namespace

Result<std::shared_ptr<const strobe_onnx::ModelProto>> parseModel(std::span<const uint8_t> file,
                                                                  const CancelToken& cancel) {
    STROBE_RETURN_IF_ERROR(sniff(file));
    return parse<strobe_onnx::ModelProto>(file, WireRoot::Model, cancel);
}

Result<std::shared_ptr<const strobe_onnx::TensorProto>> parseTensor(std::span<const uint8_t> file) {
    return parse<strobe_onnx::TensorProto>(file, WireRoot::Tensor, {});
}

}  // namespace strobe
