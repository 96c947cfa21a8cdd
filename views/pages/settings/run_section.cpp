#include "views/pages/settings/run_section.h"

#include <QDoubleSpinBox>
#include <QFileInfo>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>
#include <limits>

#include "sessions/samples.h"
#include "views/models/background.h"
#include "views/models/display_text.h"
#include "views/models/run_shapes.h"
#include "views/models/settings_text.h"
#include "views/models/workbench_context.h"
#include "views/widgets/file_dialog.h"
#include "views/widgets/theme.h"

namespace strobe {

RunSection::RunSection(WorkbenchContext& context, QWidget* parent)
    : SettingsSection(tr("Profile and compare"), context, parent),
      m_file(new QLineEdit(this)),
      m_seed(new QSpinBox(this)),
      m_duration(new QDoubleSpinBox(this)),
      m_shapes(nullptr) {
    QFormLayout& form = addForm();
    m_file->setObjectName(QStringLiteral("inputFile"));
    m_file->setPlaceholderText(tr("random numbers"));
    m_file->setMinimumWidth(80);
    auto* choose = new QPushButton(tr("Choose…"), this);
    auto* fileRow = new QHBoxLayout;
    fileRow->setSpacing(6);
    fileRow->addWidget(m_file, 1);
    fileRow->addWidget(choose);
    addWideRow(form, tr("Input data"), *fileRow);
    m_fileNote = new QLabel(tr("An .npz with one array an input; an int64 array “label” gives label accuracy."), this);
    m_fileNote->setWordWrap(true);
    m_fileNote->setForegroundRole(QPalette::PlaceholderText);
    form.addRow(m_fileNote);
    m_fileError = &makeError(QStringLiteral("fileError"));
    form.addRow(m_fileError);
    m_seed->setRange(0, std::numeric_limits<int>::max());
    m_seed->setObjectName(QStringLiteral("seed"));
    m_duration->setRange(0.05, 600);
    m_duration->setDecimals(2);
    m_duration->setSingleStep(0.5);
    m_duration->setSuffix(tr(" s"));
    m_duration->setObjectName(QStringLiteral("duration"));
    m_seed->setToolTip(tr("Of the random numbers that stand for input data"));
    m_duration->setToolTip(tr("Measured twice: end to end, then with a clock around every layer"));
    for (QAbstractSpinBox* spin : std::initializer_list<QAbstractSpinBox*>{m_seed, m_duration}) {
        spin->setKeyboardTracking(false);
        spin->setFixedWidth(kSpinWidth);
        guardWheel(*spin);
    }
    form.addRow(tr("Random seed"), m_seed);
    form.addRow(tr("Profile for"), m_duration);
    for (QWidget* spin : std::initializer_list<QWidget*>{m_seed, m_duration}) form.setAlignment(spin, Qt::AlignLeft | Qt::AlignVCenter);
    setTabOrder(m_file, choose);
    m_shapes = &addForm();
    m_error = &addError(QStringLiteral("runError"));
    onTyped(*m_file, [this] { commitFile(m_file->text().trimmed()); });
    connect(choose, &QPushButton::clicked, this, &RunSection::chooseFile);
    connect(m_seed, &QSpinBox::valueChanged, this, [this](int seed) {
        commit(tr("Seed"), [seed](Settings& settings) { settings.seed = static_cast<unsigned>(seed); });
    });
    connect(m_duration, &QDoubleSpinBox::valueChanged, this, [this](double seconds) {
        commit(tr("Profile duration"), [seconds](Settings& settings) { settings.profileMs = seconds * 1000; });
    });
}

void RunSection::chooseFile() {
    const QString path = askOpenPath(this, tr("Input data"), m_file->text(), tr("NumPy archives (*.npz)"));
    if (!path.isEmpty()) commitFile(path);
}

void RunSection::commitFile(const QString& path) {
    const auto files = parseInputFiles(path.toStdString());
    if (!files) return setError(*m_fileError, QString::fromStdString(files.status().message()));
    // One that is not there is taken, too: a build then says so, where the choice before it would have been run in silence.
    const bool isSame = path.toStdString() == m_checkedFile;
    m_chosenFile = path.toStdString();
    commit(tr("Input data"), [&](Settings& settings) { settings.inputFile = path.toStdString(); }, {m_file});
    if (isSame) checkFile(m_checkedFile);  // it may be another file under the same name
}

void RunSection::checkFile(const std::string& path) {
    m_checkedFile = path;
    setError(*m_fileError, {});
    const auto files = parseInputFiles(path);
    if (!files) return;
    for (const InputFile& file : *files)
        if (const QString name = QString::fromStdString(file.path); !QFileInfo(name).isFile())
            return setError(*m_fileError, tr("%1 does not exist; choose an .npz file or leave the field empty for random numbers").arg(name));
    if (path.empty() || !m_shownModel) return;
    const auto check = [model = m_shownModel, path] { return checkInputFiles(*model->parsed, path); };
    runInBackground(this, check, [this, model = m_shownModel, path](const Result<InputShapes>& arrays) {
        if (model != m_shownModel || path != m_checkedFile) return;
        setError(*m_fileError, QString::fromStdString(arrays.status().message()));
        if (arrays && path == m_chosenFile) takeShapes(shapesOfData(*model, *arrays, isArchive(path)));
        m_chosenFile.clear();
    });
}

void RunSection::takeShapes(const InputShapes& ofData) {
    const Settings settings = context().session().settings();
    if (!settings.shapes.empty() || !settings.builder.profiles.empty()) return;  // the user has said others
    const auto effective = effectiveShapes(*m_shownModel, settings);
    const auto isTaken = [&](const auto& entry) {
        const auto found = effective.find(entry.first);
        return found != effective.end() && found->second == entry.second;
    };
    if (std::all_of(ofData.begin(), ofData.end(), isTaken)) return;
    auto changed = withShapes(*m_shownModel, settings, ofData);
    if (!changed) return setError(*m_fileError, QString::fromStdString(changed.status().message()));
    commit(tr("Shapes of the input data"), [&](Settings& now) { now = std::move(*changed); });
}

void RunSection::rebuildShapes() {
    while (m_shapes->rowCount() > 0) m_shapes->removeRow(0);
    m_shapeEdits.clear();
    m_shownModel = context().model();
    if (!m_shownModel) return;
    QWidget* before = m_duration;
    for (const TensorId id : m_shownModel->parsed->inputs()) {
        const Tensor& input = m_shownModel->parsed->tensor(id);
        if (!input.rankKnown || isConstant(input.shape)) continue;
        auto* edit = new QLineEdit(this);
        edit->setObjectName(QStringLiteral("shape.") + QString::fromStdString(input.name));
        edit->setFont(Theme::monoFont(-1));
        m_shapes->addRow(tr("Shape of %1").arg(QString::fromStdString(input.name)), edit);
        m_shapeEdits[input.name] = edit;
        setTabOrder(before, edit);
        before = edit;
        onTyped(*edit, [this] { commitShapes(); });
    }
}

void RunSection::commitShapes() {
    std::map<std::string, Dims> shapes;
    std::vector<QLineEdit*> taken;
    for (const auto& [name, edit] : m_shapeEdits) {
        const auto dims = parseDims(edit->text());
        if (!dims) return setError(*m_error, QString::fromStdString(dims.status().message()));
        if (!dims->empty()) shapes[name] = *dims;
        taken.push_back(edit);
    }
    auto changed = withShapes(*m_shownModel, context().session().settings(), shapes);
    setError(*m_error, QString::fromStdString(changed.status().message()));
    if (!changed) return findRemedy(shapes);
    const QString label = QString::fromStdString(shapesLabel(context().session().settings(), *changed));
    commit(label, [&](Settings& settings) { settings = std::move(*changed); }, taken);
}

void RunSection::findRemedy(const std::map<std::string, Dims>& shapes) {
    const QString said = m_error->text();
    const auto find = [model = m_shownModel, settings = context().session().settings(), shapes] {
        return shapesRefusal(*model, settings, shapes);
    };
    runInBackground(this, find, [this, said](const std::string& whole) {
        if (!whole.empty() && m_error->text() == said) setError(*m_error, QString::fromStdString(whole));
    });
}

void RunSection::refresh(const Settings& settings) {
    const QString path = QString::fromStdString(settings.inputFile);
    showText(*m_file, path);
    m_file->setToolTip(path);
    const QSignalBlocker quietSeed(m_seed), quietDuration(m_duration);
    m_seed->setValue(static_cast<int>(settings.seed));
    m_duration->setValue(settings.profileMs / 1000);
    const bool isOther = m_shownModel != context().model();
    if (isOther) rebuildShapes();
    if (isOther || m_checkedFile != settings.inputFile) checkFile(settings.inputFile);
    if (!m_shownModel) return;
    const auto effective = effectiveShapes(*m_shownModel, settings);
    for (const auto& [name, edit] : m_shapeEdits) {
        const auto given = settings.shapes.find(name);
        showText(*edit, given == settings.shapes.end() ? QString() : shapeText(given->second));
        if (const auto shape = effective.find(name); shape != effective.end())
            edit->setPlaceholderText(shapeText(shape->second));
    }
}

}  // namespace strobe
