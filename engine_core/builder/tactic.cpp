#include "engine_core/builder/tactic.h"

#include <mutex>

#include "engine_core/base/memory.h"

namespace strobe {

std::string Problem::key() const {
    std::string text = op->name + attributes->toString();
    if (program) text += "[" + program->toString() + "]";
    const auto append = [&](const TensorDesc& desc) {
        text += desc.present ? " " + desc.format.toString() + toString(desc.dims) + (desc.constantData ? "c" : "") : " _";
    };
    for (const TensorDesc& desc : inputs) append(desc);
    text += " ->";
    for (const TensorDesc& desc : outputs) append(desc);
    return text + " t" + std::to_string(threads);
}

std::vector<Tactic::Formats> Tactic::candidateFormats(const Problem& problem) const {
    Formats plain;
    for (const TensorDesc& desc : problem.inputs) plain.inputs.push_back(desc.format);
    for (const TensorDesc& desc : problem.outputs) plain.outputs.push_back(desc.format);
    return {plain};
}

void KernelRegistry::add(DeviceKind device, std::string op, std::unique_ptr<Tactic> tactic) {
    m_entries.push_back({device, std::move(op), std::move(tactic)});
}

std::vector<const Tactic*> KernelRegistry::tactics(DeviceKind device, std::string_view op) const {
    std::vector<const Tactic*> own, general, reference;
    for (const Entry& entry : m_entries) {
        if (entry.device != device || (entry.op != op && entry.op != "*")) continue;
        (entry.tactic->isReference() ? reference : entry.op == "*" ? general : own).push_back(entry.tactic.get());
    }
    own.insert(own.end(), general.begin(), general.end());
    own.insert(own.end(), reference.begin(), reference.end());
    return own;
}

const Tactic* KernelRegistry::findByName(std::string_view name) const {
    for (const Entry& entry : m_entries)
        if (entry.tactic->name() == name) return entry.tactic.get();
    return nullptr;
}

void KernelRegistry::addDevice(std::unique_ptr<DeviceProvider> provider) { m_providers.push_back(std::move(provider)); }

struct PackedWeightsCache::State {
    struct Slot {
        std::mutex filling;
        std::shared_ptr<void> data;
        size_t bytes = 0;
    };
    mutable std::mutex mutex;
    std::map<std::string, std::shared_ptr<Slot>> slots;
    size_t bytes = 0;
    MemoryPool pool;
};

PackedWeightsCache::PackedWeightsCache() : m_state(std::make_unique<State>()) {}
PackedWeightsCache::~PackedWeightsCache() = default;

Result<std::shared_ptr<const void>> PackedWeightsCache::get(const std::string& key, size_t bytes, const Fill& fill) {
    std::shared_ptr<State::Slot> slot;
    {
        std::lock_guard lock(m_state->mutex);
        auto& entry = m_state->slots[key];
        if (!entry) entry = std::make_shared<State::Slot>();
        slot = entry;
    }
    std::lock_guard lock(slot->filling);
    if (slot->data && slot->bytes != bytes) return internalError("packed weights '" + key + "' are " + std::to_string(slot->bytes) + " bytes, " + std::to_string(bytes) + " were asked for");
    if (slot->data) return std::shared_ptr<const void>(slot->data);
    const std::shared_ptr<void> data = m_state->pool.allocate(bytes);
    if (!data) return Status(ErrorCode::OutOfMemory, "packed weights need " + std::to_string(bytes) + " bytes, which cannot be had");
    STROBE_RETURN_IF_ERROR(fill(data.get()));
    slot->data = data;
    slot->bytes = bytes;
    std::lock_guard stateLock(m_state->mutex);
    m_state->bytes += bytes;
    return std::shared_ptr<const void>(data);
}

size_t PackedWeightsCache::totalBytes() const {
    std::lock_guard lock(m_state->mutex);
    return m_state->bytes;
}

}  // namespace strobe
