import django.db.models.deletion
import django.db.models.functions.text
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='AuditEvent',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('organization_id', models.UUIDField()),
                ('at', models.DateTimeField()),
                ('actor_type', models.CharField(max_length=16)),
                ('actor_id', models.UUIDField(null=True)),
                ('actor_name', models.CharField(max_length=200)),
                ('action', models.CharField(max_length=60)),
                ('entity_type', models.CharField(max_length=40)),
                ('entity_id', models.UUIDField(null=True)),
                ('entity_name', models.CharField(max_length=255)),
                ('before', models.JSONField(default=dict)),
                ('after', models.JSONField(default=dict)),
                ('address', models.GenericIPAddressField(null=True)),
                ('user_agent', models.CharField(blank=True, max_length=255)),
                ('request_id', models.UUIDField(null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['organization_id', '-at'], name='audit_by_time'), models.Index(fields=['entity_id', '-at'], name='audit_by_entity')],
            },
        ),
        migrations.CreateModel(
            name='Organization',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200)),
                ('short_name', models.SlugField(max_length=60)),
                ('hipaa', models.BooleanField(default=False)),
                ('active', models.BooleanField(default=True)),
                ('language', models.CharField(default='en', max_length=10)),
                ('country_code', models.CharField(default='US', max_length=2)),
                ('version', models.PositiveIntegerField(default=1)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('short_name'), name='organization_short_name_is_unique')],
            },
        ),
        migrations.CreateModel(
            name='Division',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200)),
                ('description', models.CharField(blank=True, max_length=500)),
                ('home', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='divisions', to='accounts.organization')),
            ],
            options={
                'ordering': ['-home', 'name'],
            },
        ),
        migrations.CreateModel(
            name='User',
            fields=[
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('email', models.EmailField(max_length=254, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('title', models.CharField(blank=True, max_length=200)),
                ('department', models.CharField(blank=True, max_length=200)),
                ('state', models.CharField(choices=[('active', 'Active'), ('inactive', 'Inactive'), ('deleted', 'Deleted')], default='active', max_length=8)),
                ('version', models.PositiveIntegerField(default=1)),
                ('session_epoch', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('modified_at', models.DateTimeField(auto_now=True)),
                ('division', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='people', to='accounts.division')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='people', to='accounts.organization')),
            ],
        ),
        migrations.CreateModel(
            name='Role',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200)),
                ('description', models.CharField(blank=True, max_length=500)),
                ('default_role_id', models.CharField(blank=True, max_length=60)),
                ('policies', models.JSONField(default=list)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('modified_at', models.DateTimeField(auto_now=True)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='roles', to='accounts.organization')),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='RoleGrant',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('subject_type', models.CharField(choices=[('PC_USER', 'User'), ('PC_OAUTH_CLIENT', 'Client')], max_length=16)),
                ('subject_id', models.UUIDField()),
                ('granted_by_type', models.CharField(blank=True, max_length=16)),
                ('granted_by_id', models.UUIDField(null=True)),
                ('granted_at', models.DateTimeField(auto_now_add=True)),
                ('division', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='grants', to='accounts.division')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('role', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='grants', to='accounts.role')),
            ],
        ),
        migrations.AddConstraint(
            model_name='division',
            constraint=models.UniqueConstraint(models.F('organization'), django.db.models.functions.text.Lower('name'), name='division_name_is_unique_in_organization'),
        ),
        migrations.AddConstraint(
            model_name='division',
            constraint=models.UniqueConstraint(condition=models.Q(('home', True)), fields=('organization',), name='organization_has_one_home_division'),
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(fields=['organization', 'state', 'name'], name='user_listing'),
        ),
        migrations.AddConstraint(
            model_name='role',
            constraint=models.UniqueConstraint(models.F('organization'), django.db.models.functions.text.Lower('name'), name='role_name_is_unique_in_organization'),
        ),
        migrations.AddConstraint(
            model_name='role',
            constraint=models.UniqueConstraint(condition=models.Q(('default_role_id', ''), _negated=True), fields=('organization', 'default_role_id'), name='default_role_is_unique_in_organization'),
        ),
        migrations.AddConstraint(
            model_name='rolegrant',
            constraint=models.UniqueConstraint(fields=('subject_id', 'role', 'division'), name='grant_is_given_once'),
        ),
        migrations.AddConstraint(
            model_name='rolegrant',
            constraint=models.UniqueConstraint(condition=models.Q(('division', None)), fields=('subject_id', 'role'), name='grant_in_all_divisions_is_given_once'),
        ),
    ]
