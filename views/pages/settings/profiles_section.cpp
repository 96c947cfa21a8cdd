#include "views/pages/settings/profiles_section.h"

#include <QApplication>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>
#include <utility>

#include "views/models/display_text.h"
#include "views/models/settings_text.h"
#include "views/models/workbench_context.h"
#include "views/widgets/breakable_text.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

const Dims& corner(const ShapeRange& range, size_t at) {
    return at == 0 ? range.min : at == 1 ? range.opt : range.max;
}

}  // namespace

ProfilesSection::ProfilesSection(WorkbenchContext& context, QWidget* parent) : SettingsSection(tr("Shape profiles"), context, parent) {
    m_note = &addNote();
    m_boxesLayout = new QVBoxLayout;
    m_boxesLayout->setSpacing(kGrid);
    body().addLayout(m_boxesLayout);
    m_error = &addError(QStringLiteral("profileError"));
    m_add = new QPushButton(tr("Add profile"), this);
    m_add->setObjectName(QStringLiteral("addProfile"));
    body().addWidget(m_add, 0, Qt::AlignLeft);
    connect(m_add, &QPushButton::clicked, this, [this] {
        auto profiles = collect();
        if (!profiles) return setError(*m_error, QString::fromStdString(profiles.status().message()));
        auto complete = completeProfiles(*this->context().model()->parsed, *profiles, this->context().model()->assumed.values);
        if (!complete) return setError(*m_error, QString::fromStdString(complete.status().message()));
        complete->push_back(complete->back());
        commit(tr("Add shape profile"), [&](Settings& settings) { settings.builder.profiles = *complete; });
    });
    // Not editingFinished: a field that was only passed through does not send it, and may be the profile's last.
    connect(qApp, &QApplication::focusChanged, this, [this](QWidget* left) {
        if (const QLineEdit* edit = findEdit(left)) followTyping(*edit);
    });
}

const QLineEdit* ProfilesSection::findEdit(const QWidget* widget) const {
    for (const ProfileBox& profile : m_profiles)
        for (const InputRow& input : profile.inputs)
            for (const QLineEdit* edit : input.edits)
                if (edit == widget) return edit;
    return nullptr;
}

std::vector<const Tensor*> ProfilesSection::dynamicInputs() const {
    std::vector<const Tensor*> inputs;
    const auto model = context().model();
    for (size_t at = 0; model && at < model->parsed->inputs().size(); ++at) {
        const Tensor& tensor = model->parsed->tensor(model->parsed->inputs()[at]);
        if (tensor.rankKnown && !isConstant(tensor.shape)) inputs.push_back(&tensor);
    }
    return inputs;
}

void ProfilesSection::refresh(const Settings& settings) {
    const auto& asked = settings.builder.profiles;
    const bool isDynamic = !dynamicInputs().empty();
    const size_t count = isDynamic ? std::max<size_t>(1, asked.size()) : 0;
    // Fields stay where they are while only their values change: the user may be on the way from one to the next.
    if (m_shownModel != context().model() || m_profiles.size() != count) rebuild(count);
    m_shownModel = context().model();
    explain(isDynamic, !asked.empty());
    if (!isDynamic) return;
    const auto complete = completeProfiles(*m_shownModel->parsed, asked, m_shownModel->assumed.values);
    if (complete)
        fill(asked, *complete);
    else
        setError(*m_error, QString::fromStdString(complete.status().message()));
}

void ProfilesSection::explain(bool isDynamic, bool isAsked) {
    m_add->setVisible(isDynamic);
    m_note->setText(!context().model() ? tr("Open a model to see its inputs.")
                    : !isDynamic       ? tr("All inputs of this model have fixed shapes.")
                    : !isAsked         ? tr("Worked out from the model; type to set what the engine must take. Kernels are chosen for the best shape.")
                                       : tr("The engine takes shapes inside any profile. Kernels are chosen for the first profile's best shape."));
}

void ProfilesSection::rebuild(size_t count) {
    // Out of the list first: fields that lose the keyboard as they go have nothing to say.
    for (const ProfileBox& profile : std::exchange(m_profiles, {})) {
        profile.box->hide();
        profile.box->deleteLater();
    }
    setError(*m_error, {});
    for (size_t at = 0; at < count; ++at) addProfile();
    // Tab goes through the page as the eye does, not in the order of creation.
    QWidget* before = m_add->previousInFocusChain();
    while (before->focusPolicy() == Qt::NoFocus) before = before->previousInFocusChain();
    const auto follow = [&before](QWidget* next) {
        setTabOrder(before, next);
        before = next;
    };
    for (const ProfileBox& profile : m_profiles) {
        follow(profile.remove);
        for (const InputRow& input : profile.inputs)
            for (QLineEdit* edit : input.edits) follow(edit);
    }
}

void ProfilesSection::addProfile() {
    ProfileBox profile;
    profile.box = new QWidget(this);
    auto* grid = new QGridLayout(profile.box);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setHorizontalSpacing(6);
    grid->setVerticalSpacing(3);
    grid->setColumnStretch(1, 1);
    grid->addWidget(new QLabel(tr("Profile %1").arg(m_profiles.size() + 1), profile.box), 0, 0, 1, 2);
    QToolButton* remove = makeRemoveButton(tr("Remove this profile"));
    grid->addWidget(remove, 0, 2);
    profile.remove = remove;
    connect(remove, &QToolButton::clicked, this, [this, box = profile.box] { removeProfile(box); });
    for (const Tensor* input : dynamicInputs()) addInput(profile, *grid, *input);
    m_boxesLayout->addWidget(profile.box);
    m_profiles.push_back(std::move(profile));
}

void ProfilesSection::addInput(ProfileBox& profile, QGridLayout& grid, const Tensor& input) {
    int row = grid.rowCount();
    auto* name = new QLabel(breakable(QString::fromStdString(input.name) + QStringLiteral("   ") + shapeText(input.shape)), profile.box);
    name->setFont(Theme::monoFont(-1));
    name->setWordWrap(true);
    name->setMinimumWidth(60);
    name->setContentsMargins(0, 4, 0, 0);
    grid.addWidget(name, row++, 0, 1, 3);
    InputRow fields{input.name, {}};
    const QString titles[] = {tr("smallest (min)"), tr("best (opt)"), tr("largest (max)")};
    for (size_t at = 0; at < 3; ++at) {
        auto* title = new QLabel(titles[at], profile.box);
        title->setForegroundRole(QPalette::PlaceholderText);
        auto* edit = new QLineEdit(profile.box);
        edit->setFont(Theme::monoFont(-1));
        edit->setMinimumWidth(60);
        edit->setObjectName(QStringLiteral("profile%1.%2.%3").arg(m_profiles.size()).arg(QString::fromStdString(input.name)).arg(at));
        edit->setAccessibleName(tr("%1 shape of %2").arg(titles[at], QString::fromStdString(input.name)));
        grid.addWidget(title, row, 0);
        grid.addWidget(edit, row++, 1, 1, 2);
        fields.edits[at] = edit;
        connect(edit, &QLineEdit::returnPressed, this, [this, edit] { followTyping(*edit); });
    }
    profile.inputs.push_back(std::move(fields));
}

void ProfilesSection::fill(const std::vector<OptimizationProfile>& asked, const std::vector<OptimizationProfile>& complete) {
    for (size_t at = 0; at < m_profiles.size(); ++at) {
        m_profiles[at].remove->setVisible(!asked.empty());
        for (const InputRow& input : m_profiles[at].inputs) {
            const ShapeRange& whole = complete[at].inputs.at(input.name);
            const bool isGiven = at < asked.size() && asked[at].inputs.count(input.name) > 0;
            for (size_t c = 0; c < 3; ++c) {
                QLineEdit& edit = *input.edits[c];
                const QString text = shapeText(corner(whole, c));
                edit.setPlaceholderText(text);
                showText(edit, isGiven ? text : QString());
            }
        }
    }
}

Result<std::vector<OptimizationProfile>> ProfilesSection::collect() const {
    std::vector<OptimizationProfile> profiles;
    for (const ProfileBox& box : m_profiles) {
        OptimizationProfile profile;
        for (const InputRow& input : box.inputs) {
            const bool isEmpty = std::all_of(input.edits.begin(), input.edits.end(), [](const QLineEdit* edit) { return edit->text().trimmed().isEmpty(); });
            if (isEmpty) continue;
            std::array<Dims, 3> dims;
            for (size_t at = 0; at < 3; ++at) {
                const QLineEdit& edit = *input.edits[at];
                // Where only some are given, the others stay what they would be.
                const QString text = edit.text().trimmed().isEmpty() ? edit.placeholderText() : edit.text();
                const auto parsed = parseDims(text);
                if (!parsed) return parsed.status().withContext("input '" + input.name + "'");
                dims[at] = *parsed;
            }
            profile.inputs[input.name] = {dims[0], dims[1], dims[2]};
        }
        profiles.push_back(std::move(profile));
    }
    // One profile that says nothing is the same as none.
    if (profiles.size() == 1 && profiles.front().inputs.empty()) profiles.clear();
    return profiles;
}

void ProfilesSection::commitProfiles(const QString& label) {
    auto profiles = collect();
    const Status status = profiles ? completeProfiles(*context().model()->parsed, *profiles, context().model()->assumed.values).status() : profiles.status();
    setError(*m_error, QString::fromStdString(status.message()));
    if (!status.isOk()) return;
    std::vector<QLineEdit*> taken;
    for (const ProfileBox& box : m_profiles)
        for (const InputRow& input : box.inputs) taken.insert(taken.end(), input.edits.begin(), input.edits.end());
    commit(
        label, [&](Settings& settings) { settings.builder.profiles = *profiles; }, taken);
}

void ProfilesSection::followTyping(const QLineEdit& left) {
    const auto isTyped = [](const InputRow& input) {
        return std::any_of(input.edits.begin(), input.edits.end(), [](const QLineEdit* e) { return e->isModified(); });
    };
    bool isAnyTyped = false;
    for (const ProfileBox& profile : m_profiles)
        isAnyTyped = isAnyTyped || std::any_of(profile.inputs.begin(), profile.inputs.end(), isTyped);
    if (!isAnyTyped) return;
    commitProfiles(tr("Shape profile"));
    // On the way to the next field of a profile nothing is wrong yet: that one may make it right.
    const auto* now = qobject_cast<const QLineEdit*>(QApplication::focusWidget());
    if (now && now != &left && now->parentWidget() == left.parentWidget()) setError(*m_error, {});
}

void ProfilesSection::removeProfile(QWidget* box) {
    m_profiles.erase(std::remove_if(m_profiles.begin(), m_profiles.end(), [box](const ProfileBox& profile) { return profile.box == box; }), m_profiles.end());
    box->hide();
    box->deleteLater();
    commitProfiles(tr("Remove shape profile"));
}

}  // namespace strobe
